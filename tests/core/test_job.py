from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.job import chunks


@given(st.integers(1, 300), st.integers(1, 64))
def test_chunks_cover_a_population_in_order_and_evenly(members, per_process):
    parts = chunks(members, per_process)
    covered = [i for part in parts for i in range(members)[part]]
    sizes = [len(range(members)[part]) for part in parts]
    assert covered == list(range(members))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= per_process + 1


@given(st.integers(2, 300), st.integers(2, 64))
def test_nobody_is_alone_beside_larger_chunks(members, per_process):
    assert all(part.stop - part.start >= 2 for part in chunks(members, per_process))
