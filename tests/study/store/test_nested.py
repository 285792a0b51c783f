from hypothesis import given
from hypothesis import strategies as st

from pipeline.study.store.nested import leaves

names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
scalars = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.booleans())
trees = st.recursive(scalars, lambda inner: st.dictionaries(names, inner, max_size=3))


@given(st.dictionaries(names, trees), st.sampled_from("./"))
def test_every_leaf_is_named_by_its_path(tree, separator):
    for name, leaf in leaves(tree, separator):
        found = tree
        for step in name.split(separator):
            found = found[step]
        assert found is leaf


def test_no_leaf_is_left_out():
    nested = {"a": {"b": None, "c": [1]}, "d": {}, "e": 2}
    assert dict(leaves(nested, ".")) == {"a.b": None, "a.c": [1], "e": 2}
