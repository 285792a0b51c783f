"""Environments of Gymnasium as tasks of `params.yaml`."""

import copy
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box

from pipeline.study.params.load import load_study
from pipeline.study.params.yaml_lines import ParamsError
from pipeline.study.store.files import read_yaml, write_yaml

DATA = read_yaml(Path(__file__).parents[3] / "studies" / "smoke.yaml")


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
    def test_a_known_environment_is_a_task(self, tmp_path):
        data = copy.deepcopy(DATA)
        data["tasks"]["pendulum"] = gymnasium_task("Pendulum-v1")
        write_yaml(tmp_path / "params.yaml", data)
        assert load_study(tmp_path / "params.yaml").tasks["pendulum"].id == (
            "Pendulum-v1"
        )

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("Pendlum-v1", "there is no environment 'Pendlum-v1'; did you mean 'Pendu"),
            ("Pendulum-v0", "did you mean 'Pendulum-v1'?"),
            ("Pendulum", "did you mean 'Pendulum-v1'?"),
            ("CartPole-v1", "acts by Discrete(2); only a Box of real numbers can act"),
            ("FrozenLake-v1", "observes Discrete(16); only a Box can be observed"),
            ("no_such_module:Thing-v0", "cannot be made here: No module named"),
        ],
    )
    def test_an_environment_that_cannot_be_a_task_is_refused(
        self, tmp_path, name, said
    ):
        data = copy.deepcopy(DATA)
        data["tasks"]["other"] = gymnasium_task(name)
        write_yaml(tmp_path / "params.yaml", data)
        with pytest.raises(ParamsError, match=re.escape(said)):
            load_study(tmp_path / "params.yaml")

    def test_an_environment_without_a_limit_needs_a_horizon(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setitem(
            gymnasium.registry,
            "Endless-v0",
            EnvSpec("Endless-v0", entry_point=PendulumEnv),
        )
        data = copy.deepcopy(DATA)
        data["tasks"]["other"] = gymnasium_task("Endless-v0")
        write_yaml(tmp_path / "params.yaml", data)
        with pytest.raises(
            ParamsError, match=r"tasks\.other\.horizon: missing; Endless"
        ):
            load_study(tmp_path / "params.yaml")
        data["tasks"]["other"]["horizon"] = 100
        write_yaml(tmp_path / "params.yaml", data)
        assert load_study(tmp_path / "params.yaml").tasks["other"].horizon == 100

    def test_actions_without_bounds_are_refused(self, tmp_path, monkeypatch):
        class Unbounded(PendulumEnv):
            def __init__(self) -> None:
                super().__init__()
                self.action_space = Box(-np.inf, np.inf, (1,))

        monkeypatch.setitem(
            gymnasium.registry, "Wild-v0", EnvSpec("Wild-v0", entry_point=Unbounded)
        )
        data = copy.deepcopy(DATA)
        data["tasks"]["other"] = gymnasium_task("Wild-v0") | {"horizon": 5}
        write_yaml(tmp_path / "params.yaml", data)
        with pytest.raises(ParamsError, match="every action needs two bounds"):
            load_study(tmp_path / "params.yaml")
