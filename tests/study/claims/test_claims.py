from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.claims.soft_q_learning import judge, of_all_seeds, of_improvement
from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study

BOOTSTRAP = Bootstrap(seed=7, resamples=200, confidence=0.95)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    return load_runs(small_study(root), root / "results/runs")


def test_every_claim_that_the_study_can_test_is_judged(runs):
    claims = judge(runs, BOOTSTRAP)
    assert [(claim.runs, claim.verdict) for claim in claims][:4] == [
        (("explore/sql_10",), "reproduced"),
        (("explore/ddpg",), "reproduced"),
        (("explore/sql_10", "explore/ddpg"), "reproduced"),
        (("pretrain/sql", "pretrain/ddpg"), "reproduced"),
    ]
    assert [claim.runs[1] for claim in claims[4:]] == [
        "finetune/ddpg_from_ddpg",
        "scratch/sql",
        "scratch/ddpg",
    ]


def test_a_study_without_the_runs_has_no_claims():
    assert judge([], BOOTSTRAP) == []


def test_what_was_measured_is_said_in_numbers(runs):
    claims = judge(runs, BOOTSTRAP)
    assert claims[0].measured == "5 of 5 seeds reach all four"
    assert "goals reached per seed: 1, 1, 1, 1, 1" in claims[1].measured
    assert claims[2].measured == "P(multi_goal_score higher) = 1.00 [1.00, 1.00]"
    assert "(5 of 5 arrived) against" in claims[5].measured


def test_one_seed_that_fails_leaves_a_claim_undecided(runs):
    run = next(run for run in runs if run.id == "explore/sql_10")
    goals = np.array([4.0, 4, 4, 4, 3])
    failed = replace(run, final={**run.final, "goals_reached": goals})
    (claim,) = judge([failed], BOOTSTRAP)
    assert (claim.verdict, claim.measured) == (
        "undecided",
        "4 of 5 seeds reach all four",
    )


@pytest.mark.parametrize(
    ("true", "verdict"),
    [
        ([True] * 5, "reproduced"),
        ([True] * 4, "undecided"),
        ([False] * 3 + [True] * 2, "not reproduced"),
        ([False] * 2 + [True] * 3, "undecided"),
    ],
)
def test_a_claim_about_every_seed_needs_every_seed(true, verdict):
    assert of_all_seeds(np.array(true)) == verdict


@pytest.mark.parametrize(
    ("low", "high", "seeds", "verdict"),
    [
        (0.6, 1.0, 5, "reproduced"),
        (1.0, 1.0, 4, "undecided"),
        (0.5, 0.9, 9, "undecided"),
        (0.1, 0.4, 5, "not reproduced"),
    ],
)
def test_an_improvement_needs_an_interval_off_one_half(low, high, seeds, verdict):
    assert of_improvement(Interval((low + high) / 2, low, high), seeds) == verdict
