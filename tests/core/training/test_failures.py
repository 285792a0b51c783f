"""A member that fails stops, and the others go on as if nothing had happened."""

import math
import time

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from pydantic import TypeAdapter

from pipeline.core.job import Failure, Job
from pipeline.core.tasks.gymnasium import environments
from pipeline.core.tasks.settings import Task
from pipeline.core.training import checkpoint
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
from pipeline.study.store.files import atomic_write
from tests.core.configs import EVALUATION, algorithm, task

pytestmark = pytest.mark.usefixtures("unchecked")

LATE = 15
"""The step of an episode that goes wrong in the second environment that was made."""


class Fragile(gymnasium.Env):
    """Walks; in one of the environments of a population something goes wrong."""

    observation_space = Box(-9, 9, (2,), np.float32)
    action_space = Box(-1, 1, (1,), np.float32)
    made = 0

    def __init__(self, wrong="", member=1):
        self.fails = Fragile.made == member and wrong
        Fragile.made += 1
        self.wrong = {
            "raises": self.raises,
            "hangs": lambda: time.sleep(30),
            "reward": lambda: math.nan,
        }.get(wrong)

    def raises(self):
        raise ValueError("a leg is broken\nin two places")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        self.step_number = 0
        return self.at, {}

    def step(self, action):
        self.step_number += 1
        self.at = np.clip(self.at + 0.1 * action, -9, 9).astype(np.float32)
        reward, seen = -float(np.abs(self.at).sum()), self.at
        if self.fails and self.step_number == LATE:
            if self.fails == "observation":
                seen = np.array([0.0, np.inf], np.float32)
            else:
                reward = self.wrong()
        return seen, reward, False, False, {}


for _wrong in ("", "raises", "hangs", "reward", "observation"):
    gymnasium.register(
        f"Fragile{_wrong}-v0", Fragile, kwargs={"wrong": _wrong}, max_episode_steps=20
    )


gymnasium.register(
    "Fragileonce-v0",
    Fragile,
    kwargs={"wrong": "reward", "member": 4},
    max_episode_steps=20,
)
"""Fails in the second of the three episodes by which the first member is judged."""


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(environments, "PATIENCE_SECONDS", 0.2)


def training(wrong, name="sac"):
    Fragile.made = 0
    data = {
        "kind": "gymnasium",
        "id": f"Fragile{wrong}-v0",
        "discount": 0.9,
        "objective": "return",
        "evaluation": EVALUATION,
    }
    own = TypeAdapter(Task).validate_python(data, strict=False)
    return Training(Job(own, (algorithm(name),) * 3, (4, 5, 6), 90))


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("sac", "raises", "ValueError: a leg is broken"),
        ("sql_copied", "hangs", "TimeoutError: no answer within 0.2 seconds"),
        ("ddpg_gaussian", "reward", "its reward is nan"),
        ("reinforce", "observation", "it shows inf as component 1 of its observation"),
    ],
)
def test_the_others_end_in_the_same_bytes(name, wrong, reason):
    sound, failing = training("", name), training(wrong, name)
    list(sound), list(failing)
    undisturbed, found = finish(sound), finish(failing)
    assert found.failures == {1: Failure(LATE - 1, reason)}
    for key, weights in undisturbed.weights.items():
        assert np.isfinite(found.weights[key]).all()
        np.testing.assert_array_equal(found.weights[key][::2], weights[::2])
    for metric, values in found.final.items():
        assert math.isnan(values[1])
        assert values[::2] == undisturbed.final[metric][::2]


def test_it_is_told_once_and_has_no_numbers_from_then_on():
    records = list(training("reward"))
    told = [record.step for record in records if record.failures]
    assert told == [40]
    for record in records:
        value = record.metrics["evaluation/return"][1]
        assert math.isnan(value) == (record.step >= 40)


def test_an_evaluation_may_be_where_it_fails():
    judged = training("once")
    list(judged)
    assert judged.failures == {0: Failure(0, "in an evaluation, its reward is nan")}


def test_it_has_failed_after_an_interruption_too(tmp_path):
    path = tmp_path / "state"
    whole = training("reward")
    for record in whole:
        if record.step == 80:
            checkpoint.save(path, whole, atomic_write)
    again = training("reward")
    checkpoint.restore(path, again)
    assert again.failures == whole.failures
    list(again)
    for key, weights in finish(whole).weights.items():
        np.testing.assert_array_equal(finish(again).weights[key], weights)


@pytest.mark.parametrize("where", ["multigoal", "swimmer"])
def test_a_policy_that_is_not_a_number_has_failed(where):
    diverging = Training(Job(task(where), (algorithm("sac"),) * 2, (0, 1), 90))
    for record in diverging:
        if record.step == 40:
            for weights in diverging.agent.networks().values():
                weights[0] = math.nan
    failure = diverging.failures[0]
    assert failure.step == 40
    assert failure.reason.startswith("its policy acts by [nan, ")
    assert list(diverging.failures) == [0]
    assert all(math.isnan(values[0]) for values in finish(diverging).final.values())


def test_nothing_goes_on_once_all_have_failed():
    hopeless = training("reward")
    for member in range(3):
        hopeless.note({member: "it is hopeless"})
    assert [record.step for record in hopeless] == [0, 90]
