import numpy as np
import pytest

from pipeline.study.statistics.comparators import (
    comparators,
    improvement,
    score_comparators,
)
from tests.study.small import BOOTSTRAP, small, with_final

RUNS, SCORES = small().evidence.runs, small().evidence.scores


def test_of_a_run_are_ddpg_and_whoever_learns_from_scratch():
    def found(id):
        return [other.id for other in comparators(small().run(id), RUNS)]

    assert found("finetune/sql_from_sql") == [
        "finetune/ddpg_from_ddpg",
        "scratch/sql",
        "scratch/ddpg",
    ]
    assert found("explore/sql_10") == ["explore/ddpg"]
    assert found("explore/ddpg") == []


def test_of_a_score_are_ddpg_and_sac_of_its_temperature():
    def found(name):
        others = score_comparators(small().score(name), SCORES)
        return [other.run.name for other in others]

    assert found("sql_10") == ["sac_10", "ddpg"]
    assert found("sac_10") == ["ddpg"]
    assert found("sql_swept") == ["ddpg"]
    assert found("ddpg") == []
    assert found("sql_east") == [], "nobody else is on its task"


@pytest.mark.parametrize(("theirs", "probability"), [(-9.0, 0.0), (np.nan, 0.5)])
def test_a_seed_without_a_number_loses_or_ties_with_another(theirs, probability):
    one, other = (
        with_final(run, {"success": np.full(5, value)})
        for run, value in (
            (small().run("explore/sql_10"), np.nan),
            (small().run("explore/ddpg"), theirs),
        )
    )
    assert improvement(one, other, "success", BOOTSTRAP).estimate == probability
