from hypothesis import given
from hypothesis import strategies as st

from pipeline.study.store.layout import (
    STAGES,
    panel_name,
    part_name,
    picture_name,
)

names = st.from_regex("[ab_]{1,3}", fullmatch=True)
shown = st.tuples(st.sampled_from(STAGES), names, st.none() | names)


def name(stage, of, part):
    """What shows a run alone, or a part of what shows the runs on a task."""
    if part is None:
        return picture_name(stage, of)
    return part_name(panel_name(stage, of), part)


@given(one=shown, other=shown)
def test_what_shows_different_things_has_different_names(one, other):
    assert (name(*one) == name(*other)) == (one == other)
