"""The environments of a scene: many points at once, and one; many bodies of MuJoCo."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers import TimeLimit
from numpy import ndarray

from pipeline.core.config.values import parsed
from pipeline.core.tasks.gymnasium.copy import Copy
from pipeline.core.tasks.gymnasium.environments import PATIENCE_SECONDS, Copies
from pipeline.core.tasks.gymnasium.patience import Patience
from pipeline.core.tasks.navigation.scene import PointScene
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.resets import restarting


def many(count: int, task: Navigation) -> VectorEnv:
    """Independent copies of a task's environment; the caller resets ended ones."""
    scene = task.scene
    if isinstance(scene, PointScene):
        return PointsVectorEnv(count, scene)
    from pipeline.core.tasks.navigation.simulation import simulated

    return Copies(partial(simulated, task.body, scene), count, in_plane=True)


def one(task: Mapping[str, Any], render_mode: str | None = None) -> gymnasium.Env:
    """A single body, for whoever uses a task outside of this project.

    `task` is written as in `params.yaml`, with its `world` in place of a name. Only
    bodies of MuJoCo can be rendered.
    """
    asked: Navigation = parsed(Navigation, task)
    scene = asked.scene
    if isinstance(scene, PointScene):
        return PointEnv(asked, scene)
    from pipeline.core.tasks.navigation.simulation import simulated

    body = simulated(asked.body, scene, render_mode=render_mode)
    return TimeLimit(body, max_episode_steps=asked.horizon)


def on_film(task: Navigation) -> Copy | None:
    """A body of MuJoCo, seen by a camera that follows it; None for a point."""
    scene = task.scene
    if isinstance(scene, PointScene):
        return None
    from pipeline.core.tasks.navigation.simulation import CAMERA, simulated

    seen = {"render_mode": "rgb_array", "width": 400, "height": 300}
    body = simulated(task.body, scene, camera_name=CAMERA, **seen)
    return Copy(body, Patience(PATIENCE_SECONDS), in_plane=True)


class PointsVectorEnv(VectorEnv):
    """Many independent points at once, as array code. The caller resets ended ones."""

    metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012, as its base

    def __init__(self, num_envs: int, scene: PointScene) -> None:
        """All bodies are at the start until the first reset."""
        self.num_envs = num_envs
        self._scene = scene
        self.single_observation_space, self.single_action_space = _spaces(scene)
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        start = np.tile(np.array(scene.world.start), (num_envs, 1))
        self._state = scene.body.at(start)
        self._generators = [np.random.default_rng()] * num_envs

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start again, all bodies or those of `options["reset_mask"]`."""
        mask = restarting(self._generators, seed, options)
        for index in np.flatnonzero(mask).tolist():
            start = self._scene.world.start_of(self._generators[index])
            self._state[index] = self._scene.body.at(start)
        return self._shown()

    def step(
        self, actions: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray, dict[str, Any]]:
        self._state, reward, ended = self._scene.advance(self._state, actions)
        observation, info = self._shown()
        return observation, reward, ended, np.zeros_like(ended), info

    def _shown(self) -> tuple[ndarray, dict[str, Any]]:
        observation = self._scene.body.observed(self._state)
        return observation.copy(), {"position": self._state[:, :2].copy()}


class PointEnv(gymnasium.Env):
    """One point."""

    metadata = {"render_modes": []}  # noqa: RUF012, as its base

    def __init__(self, task: Navigation, scene: PointScene) -> None:
        self._task, self._scene = task, scene
        self.observation_space, self.action_space = _spaces(self._scene)
        self._state = self._scene.body.at(np.array(self._scene.world.start))
        self._length = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._length = 0
        start = self._scene.world.start_of(self.np_random)
        self._state = self._scene.body.at(start)
        return self._shown()

    def step(
        self, action: ndarray
    ) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        self._length += 1
        self._state, reward, ended = self._scene.advance(self._state, action)
        truncated = self._length >= self._task.horizon
        observation, info = self._shown()
        return observation, float(reward), bool(ended), truncated, info

    def _shown(self) -> tuple[ndarray, dict[str, Any]]:
        observation = self._scene.body.observed(self._state)
        return observation.copy(), {"position": self._state[:2].copy()}


def _spaces(scene: PointScene) -> tuple[Box, Box]:
    bounds = scene.body.bounds(scene.world)
    return Box(-bounds, bounds, dtype=np.float64), Box(-1.0, 1.0, (2,), np.float64)
