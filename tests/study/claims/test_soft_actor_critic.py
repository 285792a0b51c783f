from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.config.values import parsed
from pipeline.core.tasks.settings import Task
from pipeline.study.claims.base import Evidence
from pipeline.study.claims.judge import judge
from tests.study.small import BOOTSTRAP, small

EVALUATION = {"every": 500, "episodes": 5, "final_episodes": 20, "policy": "greedy"}


def run(id, returns, task):
    described = {
        "kind": "gymnasium",
        "id": task,
        "discount": 0.99,
        "objective": "return",
        "evaluation": EVALUATION,
    }
    one = replace(small().run(id), task=parsed(Task, described), task_name="runner")
    vars(one)["final"] = {"return": np.array(returns, float)}
    return one


def judged(sac, sql, task="HalfCheetah-v5"):
    runs = run("explore/sac_10", sac, task), run("explore/sql_10", sql, task)
    return judge(Evidence(runs, (), (), BOOTSTRAP))


@pytest.mark.parametrize(
    ("sac", "sql", "verdict"),
    [
        ([5, 6, 7, 8, 9], [1, 2, 3, 4, 5], "reproduced"),
        ([1, 2, 3, 4, 5], [5, 6, 7, 8, 9], "not reproduced"),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], "undecided"),
    ],
)
def test_soft_actor_critic_must_return_more(sac, sql, verdict):
    (claim,) = judged(sac, sql)
    assert claim.verdict == verdict
    assert claim.statement.endswith("higher return than soft Q-learning.")


def test_it_is_said_how_much_of_its_return_the_other_has():
    (claim,) = judged([10] * 5, [8] * 5)
    assert claim.measured.endswith("against 8.00 [8.00, 8.00], 0.80 [0.80, 0.80] of it")
    (claim,) = judged([10] * 5, [-8] * 5)
    assert "of it" not in claim.measured


def test_the_paper_says_nothing_of_other_tasks():
    assert judged([1] * 5, [1] * 5, task="InvertedPendulum-v5") == []
