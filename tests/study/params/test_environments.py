"""Environments of Gymnasium as tasks of `params.yaml`."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box


def gymnasium_task(name: str) -> dict[str, Any]:
    evaluation = {"every": 100, "episodes": 1, "final_episodes": 1, "policy": "greedy"}
    return {
        "kind": "gymnasium",
        "id": name,
        "discount": 0.99,
        "objective": "return",
        "evaluation": evaluation,
    }


class TestEnvironments:
    def test_a_known_environment_is_a_task(self, data, load):
        data["tasks"]["pendulum"] = gymnasium_task("Pendulum-v1")
        assert load(data).tasks["pendulum"].id == "Pendulum-v1"

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("Pendlum-v1", "there is no environment 'Pendlum-v1'; did you mean 'Pendu"),
            ("Pendulum-v0", "did you mean 'Pendulum-v1'?"),
            ("Pendulum", "did you mean 'Pendulum-v1'?"),
            ("CartPole-v1", "acts by Discrete(2); only a Box of real numbers can act"),
            ("FrozenLake-v1", "observes Discrete(16); only boxes can be observed"),
            ("nowhere:Thing-v0", "No module named 'nowhere'; install it, or put"),
        ],
    )
    def test_an_environment_that_cannot_be_a_task_is_refused(
        self, data, refused, name, said
    ):
        data["tasks"]["other"] = gymnasium_task(name)
        assert said in refused(data)

    def test_an_environment_without_a_limit_needs_a_horizon(
        self, data, load, refused, monkeypatch
    ):
        endless = EnvSpec("Endless-v0", entry_point=PendulumEnv)
        monkeypatch.setitem(gymnasium.registry, "Endless-v0", endless)
        data["tasks"]["other"] = gymnasium_task("Endless-v0")
        assert "tasks.other.horizon: missing; Endless" in refused(data)
        data["tasks"]["other"]["horizon"] = 100
        assert load(data).tasks["other"].horizon == 100

    def test_actions_without_bounds_are_refused(self, data, refused, monkeypatch):
        class Unbounded(PendulumEnv):
            def __init__(self) -> None:
                super().__init__()
                self.action_space = Box(-np.inf, np.inf, (1,))

        wild = EnvSpec("Wild-v0", entry_point=Unbounded)
        monkeypatch.setitem(gymnasium.registry, "Wild-v0", wild)
        data["tasks"]["other"] = gymnasium_task("Wild-v0") | {"horizon": 5}
        assert "every action needs two bounds" in refused(data)
