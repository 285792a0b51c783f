import json
import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.study.tracking.mirror import Content, Point, means, params_of

values = st.floats(-1e6, 1e6)


def child(*points):
    return Content(points=[Point(*point) for point in points])


class TestParams:
    def test_are_what_run_json_says_without_what_names_the_run(self):
        described = {
            "key": "k",
            "stage": "explore",
            "run": "sql",
            "task_name": "multigoal",
            "task": {"horizon": 30},
            "seeds": [0, 1],
            "start": None,
        }
        assert params_of(described) == {
            "task": "multigoal",
            "task.horizon": "30",
            "seeds": "[0, 1]",
        }

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_keep_numbers_exactly(self, number):
        assert json.loads(params_of({"alpha": number})["alpha"]) == number


class TestMeans:
    @given(st.lists(values, min_size=1, max_size=6))
    def test_are_over_children(self, found):
        children = {f"{n}": child(("q", 1, value)) for n, value in enumerate(found)}
        ((metric, step, mean),) = means(children)
        assert (metric, step) == ("q", 1)
        assert math.isclose(mean, sum(found) / len(found), abs_tol=1e-6)

    def test_exist_only_where_every_child_has_a_value(self):
        children = {
            "seed 0": child(("q", 1, 1.0), ("q", 2, 5.0)),
            "seed 1": child(("q", 1, 2.0)),
        }
        assert means(children) == [Point("q", 1, 1.5)]
