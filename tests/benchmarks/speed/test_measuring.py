"""Every measurement runs, as small as it can be."""

import os

import pytest

from benchmarks.speed import memory, steps
from benchmarks.speed.contest import Contestant, Effort, apart, contest, on_core
from benchmarks.speed.necessary import Product, multiplying
from benchmarks.speed.subject import Case, training, training_on
from pipeline.core.learning.replay_collector import ReplayCollector
from pipeline.core.training.loop import RECORD_EVERY

PRODUCTS = [Product(1, 8, 8, 8, "neither")]
SMALLER = {"warmup": 100, "horizon": 10}


@pytest.mark.slow
def test_contestants_take_turns():
    one = Contestant({"who": "one"}, multiplying, (PRODUCTS,), "host", each=3)
    two = Contestant({"who": "two"}, multiplying, (PRODUCTS,), "host", processes=2)
    rows = contest([one, two], Effort(repeats=2, seconds=0.01))
    assert [row["who"] for row in rows] == ["one", "two", "two", "one"]
    for row in rows:
        assert row["done"] % (3 if row["who"] == "one" else 2) == 0
        assert row["seconds"] > 0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="as Linux has it")
def test_processes_of_one_copy_share_a_core():
    def core(copy):
        with on_core(copy):
            return os.sched_getaffinity(0)

    allowed = os.sched_getaffinity(0)
    assert core(0) == {min(allowed)}
    assert core(1) <= allowed
    assert (core(0) == core(1)) == (len(allowed) == 1)
    assert os.sched_getaffinity(0) == allowed


@pytest.mark.slow
def test_a_training_learns():
    small = Case("sac", 2, 16, 8)
    records = list(training(small, steps=150, replay=150, warmup=140, horizon=10))
    assert [record.step for record in records] == [0, 100, 150]
    assert "train/q_loss" in records[-1].metrics


@pytest.mark.slow
def test_a_training_without_end_goes_on(monkeypatch):
    made, learn = [], ReplayCollector.learn

    def counted(*given, **named):
        made.append(learn(*given, **named))
        return made[-1]

    monkeypatch.setattr(ReplayCollector, "learn", counted)
    training_on(Case("ddpg", 1, 16, 8), **SMALLER)(2)
    assert sum(made) == 2 * RECORD_EVERY


@pytest.mark.slow
@pytest.mark.skipif(
    not memory.STATUS.exists(), reason="resident memory as Linux has it"
)
def test_memory_grows_by_more_than_what_is_remembered():
    found = apart(memory.grown, Case("sql", 2, 16, 8, 4), 30_000, 20)
    assert found["replay"] == 2 * 30_000 * 4 * (17 + 6 + 1 + 17 + 1)
    assert found["grown"] > found["replay"] + found["learners"]


@pytest.mark.slow
def test_a_step_is_taken_apart():
    parts = steps.spent(Case("ddpg", 1, 16, 8), 1, **SMALLER)
    assert set(parts) == set(steps.PARTS)
    assert all(seconds > 0 for seconds in parts.values())
