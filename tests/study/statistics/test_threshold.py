import numpy as np
import pytest

from pipeline.study.statistics.threshold import (
    StepsToThreshold,
    steps_to_return,
    threshold_returns,
)
from tests.study.small import BOOTSTRAP, small, with_final

RUNS = small().evidence.runs


class TestStepsToThreshold:
    def test_never_is_the_whole_budget(self):
        steps = StepsToThreshold(np.array([10.0, np.nan, np.nan]), 100)
        assert steps.summary(BOOTSTRAP, "x") == {
            "iqm": 70.0,
            "low": 40.0,
            "high": 100.0,
            "median": 100.0,
            "share": pytest.approx(1 / 3),
            "budget": 100,
            "seeds": 3,
        }

    def test_end_at_the_first_evaluation_that_has_the_return(self):
        run = small().run("scratch/sql")
        values = run.curve("evaluation/return").values
        assert steps_to_return(run, values[1, 0]).steps[0] <= 1000
        assert np.isnan(steps_to_return(run, 1e9).steps).all()
        assert (steps_to_return(run, -1e9).steps == 500).all()


class TestThresholdReturns:
    def test_lie_half_way_from_the_first_evaluation_to_the_best_end(self):
        result = threshold_returns(RUNS, {})
        assert list(result) == ["swimmer_forward"]
        ends = [run.final["return"] for run in RUNS if run.stage == "finetune"]
        assert 0 < result["swimmer_forward"] < max(end.max() for end in ends)

    def test_need_a_run_from_scratch(self):
        assert threshold_returns([small().run("finetune/sql_from_sql")], {}) == {}

    def test_need_something_learned(self):
        run = small().run("scratch/sql")
        poor = with_final(run, {"return": np.full(5, -1e9)})
        assert threshold_returns([poor], {}) == {}

    def test_are_not_derived_where_they_were_fixed_beforehand(self):
        assert threshold_returns(RUNS, {"swimmer_forward": 3.5}) == {
            "swimmer_forward": 3.5
        }
