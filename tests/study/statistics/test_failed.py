"""What a seed that has failed counts for."""

import numpy as np
import pytest

from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.statistics.threshold import StepsToThreshold, steps_to_return
from pipeline.study.training.results import load_runs
from tests.study.synthetic import let_fail, small_study

BOOTSTRAP = Bootstrap(seed=7, resamples=200, confidence=0.95)


@pytest.fixture
def runs(tmp_path):
    """Runs of a study whose seed 2 has failed after 1000 steps, by name."""
    study = small_study(tmp_path)
    root = tmp_path / "results/runs"
    for folder in root.glob("*/*"):
        if folder.parent.name not in ("score", "compose"):
            let_fail(folder, [2])
    return {run.id: run for run in load_runs(study, root)}


def test_it_has_achieved_nothing(runs):
    final = runs["explore/sql_10"].final
    for metric in ("success", "multi_goal_score", "goals_reached", "goal_0"):
        assert final[metric][2] == 0
    assert final["return"][2] == -np.inf
    assert np.isnan(final["episode_length"][2])
    final = runs["pretrain/sql"].final
    assert (final["distance"][2], final["direction_spread"][2]) == (0, 0)
    assert final["forward_distance"][2] == -np.inf


def test_it_counts_from_where_it_failed_on(runs):
    curve = runs["explore/sql_10"].curve("evaluation/multi_goal_score")
    assert (curve.values[curve.steps >= 1000, 2] == 0).all()
    assert (curve.values[(curve.steps < 1000) & (curve.steps > 0), 2] > 0).any()


def test_it_needs_the_whole_budget_whatever_it_reached_before(runs):
    run = runs["scratch/ddpg"]
    lowest = run.curve("evaluation/return").values[0].min()
    steps = steps_to_return(run, lowest)
    assert steps.counted[2] == run.steps
    assert (np.delete(steps.counted, 2) < run.steps).all()
    milestone = runs["explore/sql_10"].final["steps_to_all_goals"]
    counted = StepsToThreshold(milestone, 2000).counted
    assert counted[2] == 2000


def test_a_mean_without_it_is_a_number_and_with_it_has_no_bound():
    many = BOOTSTRAP.interquartile_mean([-np.inf, *range(9)], "return")
    assert many.estimate == pytest.approx(3.5)
    assert many.low == -np.inf
    assert np.isfinite(many.high)
    few = BOOTSTRAP.summary([-np.inf, -np.inf, 1.0], "return")
    assert (few["iqm"], few["low"]) == (None, None)
