from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.statistics.compare import (
    Arrival,
    bands,
    compare,
    improvement,
    panels,
    rivals,
    set_returns,
    steps_to_return,
)
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study

BOOTSTRAP = Bootstrap(seed=7, resamples=200, confidence=0.95)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    return {run.id: run for run in load_runs(small_study(root), root / "results/runs")}


def with_final(run, **metrics):
    arrays = {name: np.array(values, float) for name, values in metrics.items()}
    return replace(run, final={**run.final, **arrays})


class TestCompare:
    def test_every_final_metric_of_every_run_has_statistics(self, runs):
        result = compare(list(runs.values()), BOOTSTRAP)
        assert sorted(result) == ["explore", "finetune", "pretrain", "scratch"]
        entry = result["explore"]["sql_10"]["multi_goal_score"]
        assert entry["low"] <= entry["iqm"] <= entry["high"]
        assert entry["seeds"] == 5

    def test_a_seed_without_a_number_is_counted_out_loud(self, runs):
        run = with_final(runs["explore/ddpg"], success=[1, 1, np.nan, 1, 1])
        entry = compare([run], BOOTSTRAP)["explore"]["ddpg"]["success"]
        assert entry == {"iqm": 1.0, "low": 1.0, "high": 1.0, "seeds": 4}

    def test_a_metric_without_any_number_is_left_out(self, runs):
        run = with_final(runs["explore/ddpg"], success=[np.nan] * 5)
        assert "success" not in compare([run], BOOTSTRAP)["explore"]["ddpg"]

    def test_intervals_of_a_run_do_not_depend_on_the_other_runs(self, runs):
        run = runs["pretrain/sql"]
        alone = compare([run], BOOTSTRAP)["pretrain"]["sql"]
        among = compare(list(runs.values()), BOOTSTRAP)["pretrain"]["sql"]
        assert alone["return"] == among["return"]

    def test_everything_is_measured_against_ddpg(self, runs):
        result = compare(list(runs.values()), BOOTSTRAP)
        against = result["explore"]["sac_10"]["probability_of_improvement"]
        assert list(against) == ["explore/ddpg"]
        assert list(against["explore/ddpg"]) == ["multi_goal_score", "return"]
        assert against["explore/ddpg"]["multi_goal_score"]["estimate"] == 1.0


class TestRivals:
    def test_of_a_fine_tuned_run_include_ddpg_and_its_own_kind_from_scratch(self, runs):
        found = rivals(runs["finetune/sql_from_sql"], list(runs.values()))
        assert [run.id for run in found] == [
            "finetune/ddpg_from_ddpg",
            "scratch/sql",
            "scratch/ddpg",
        ]

    def test_of_ddpg_are_not_itself(self, runs):
        assert rivals(runs["explore/ddpg"], list(runs.values())) == []


class TestImprovement:
    def test_a_seed_without_a_number_loses(self, runs):
        left = with_final(runs["explore/sql_10"], success=[np.nan] * 5)
        right = with_final(runs["explore/ddpg"], success=[-9.0] * 5)
        result = improvement(left, right, "success", bootstrap=BOOTSTRAP)
        assert result.estimate == 0.0

    def test_seeds_without_numbers_on_both_sides_tie(self, runs):
        left = with_final(runs["explore/sql_10"], success=[np.nan] * 5)
        right = with_final(runs["explore/ddpg"], success=[np.nan] * 5)
        result = improvement(left, right, "success", bootstrap=BOOTSTRAP)
        assert result.estimate == 0.5


class TestArrival:
    def test_never_is_the_whole_budget(self):
        arrival = Arrival(np.array([10.0, np.nan, np.nan]), 100)
        assert arrival.summary(BOOTSTRAP, "x") == {
            "iqm": 70.0,
            "low": 40.0,
            "high": 100.0,
            "median": 100.0,
            "share": pytest.approx(1 / 3),
            "budget": 100,
            "seeds": 3,
        }

    def test_at_a_set_return_is_the_first_evaluation_that_has_it(self, runs):
        run = runs["scratch/sql"]
        values = run.curve("evaluation/return").values
        steps = steps_to_return(run, values[1, 0]).steps
        assert steps[0] <= 1000
        assert np.isnan(steps_to_return(run, 1e9).steps).all()
        assert (steps_to_return(run, -1e9).steps == 500).all()


class TestSetReturns:
    def test_lie_half_way_from_the_first_evaluation_to_the_best_end(self, runs):
        result = set_returns(list(runs.values()))
        assert list(result) == ["swimmer_forward"]
        ends = [runs[name].final["return"] for name in runs if "finetune" in name]
        assert 0 < result["swimmer_forward"] < max(end.max() for end in ends)

    def test_need_a_run_from_scratch(self, runs):
        assert set_returns([runs["finetune/sql_from_sql"]]) == {}

    def test_need_something_learned(self, runs):
        run = with_final(runs["scratch/sql"], **{"return": [-1e9] * 5})
        assert set_returns([run]) == {}


def test_fine_tuning_is_shown_with_runs_from_scratch(runs):
    assert {key: len(value) for key, value in panels(list(runs.values())).items()} == {
        ("explore", "multigoal"): 4,
        ("explore", "corners_east"): 1,
        ("explore", "corners_west"): 1,
        ("pretrain", "swimmer_any_direction"): 2,
        ("finetune", "swimmer_forward"): 4,
    }


def test_a_band_has_an_interval_at_every_evaluation(runs):
    (band,) = bands([runs["explore/ddpg"]], "return", BOOTSTRAP)
    assert band.steps == [500, 1000, 1500, 2000]
    assert all(one.low <= one.estimate <= one.high for one in band.intervals)


def test_a_run_without_the_metric_has_no_band(runs):
    assert list(bands([runs["explore/ddpg"]], "distance", BOOTSTRAP)) == []
