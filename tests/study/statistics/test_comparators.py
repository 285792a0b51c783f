from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.statistics.comparators import (
    comparators,
    improvement,
    score_comparators,
)
from tests.study.small import BOOTSTRAP, small

RUNS, SCORES = small().evidence.runs, small().evidence.scores


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            "finetune/sql_from_sql",
            ["finetune/ddpg_from_ddpg", "scratch/sql", "scratch/ddpg"],
        ),
        ("explore/sql_10", ["explore/ddpg"]),
        ("explore/ddpg", []),
    ],
)
def test_of_a_run_are_ddpg_and_whoever_learns_from_scratch(run, expected):
    assert [other.id for other in comparators(small().run(run), RUNS)] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sql_10", ["sac_10", "ddpg"]),
        ("sac_10", ["ddpg"]),
        ("sql_swept", ["ddpg"]),
        ("ddpg", []),
        ("sql_east", []),  # nobody else is on its task
    ],
)
def test_of_a_score_are_ddpg_and_sac_of_its_temperature(name, expected):
    found = score_comparators(small().score(name), SCORES)
    assert [other.run.name for other in found] == expected


@pytest.mark.parametrize(("theirs", "probability"), [(-9.0, 0.0), (np.nan, 0.5)])
def test_a_seed_without_a_number_loses_or_ties_with_another(theirs, probability):
    one, other = (
        replace(run, final={"success": np.full(5, value)})
        for run, value in (
            (small().run("explore/sql_10"), np.nan),
            (small().run("explore/ddpg"), theirs),
        )
    )
    assert improvement(one, other, "success", BOOTSTRAP).estimate == probability
