"""The environments of an `Arena`: many points at once, and one."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy import ndarray

from pipeline.core.tasks.multigoal.arena import (
    BOUND,
    FOUR_GOALS,
    Arena,
    direction,
    start,
)
from pipeline.core.tasks.multigoal.settings import Push
from pipeline.core.tasks.resets import restarting


class MultiGoalVectorEnv(VectorEnv):
    """Many independent points at once, as array code. The caller resets ended ones."""

    metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012, as its base

    def __init__(
        self, num_envs: int, max_episode_steps: int, arena: Arena = FOUR_GOALS
    ) -> None:
        """All points are at the origin until the first reset."""
        self.num_envs = num_envs
        self._arena = arena
        self._limit = max_episode_steps
        self._length = np.zeros(num_envs, dtype=np.int64)
        self.single_observation_space = gymnasium.spaces.Box(
            -BOUND, BOUND, (2,), np.float64
        )
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float64)
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        self._position = np.zeros((num_envs, 2))
        self._generators = [np.random.default_rng()] * num_envs

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start again, all points or those of `options["reset_mask"]`."""
        mask = restarting(self._generators, seed, options)
        for index in np.flatnonzero(mask).tolist():
            self._position[index] = start(self._generators[index])
        self._length[mask] = 0
        return self._position.copy(), {"position": self._position.copy()}

    def step(
        self, actions: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray, dict[str, Any]]:
        self._length += 1
        arena = self._arena
        self._position, reward, ended = arena.advance(self._position, actions)
        if arena.push is not None and (self._length == arena.push.step).any():
            self._push(arena.push)
            reward = arena.reward(self._position, actions)
            ended = arena.ended(self._position)
        truncated = self._length >= self._limit
        info = {"position": self._position.copy()}
        return self._position.copy(), reward, ended, truncated, info

    def _push(self, push: Push) -> None:
        """Displace the points whose episode is at the step of the push."""
        for index in np.flatnonzero(self._length == push.step).tolist():
            displacement = push.distance * direction(self._generators[index])
            self._position[index] = self._arena.shifted(
                self._position[index], displacement
            )


class MultiGoalEnv(gymnasium.Env):
    """One point, for whoever uses the task outside of this project."""

    metadata = {"render_modes": []}  # noqa: RUF012, as its base

    def __init__(
        self, render_mode: str | None = None, arena: Arena = FOUR_GOALS
    ) -> None:
        self.observation_space = gymnasium.spaces.Box(-BOUND, BOUND, (2,), np.float64)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float64)
        self.render_mode = render_mode
        self._arena = arena
        self._position = np.zeros(2)
        self._length = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._length = 0
        self._position = start(self.np_random)
        return self._position.copy(), {}

    def step(
        self, action: ndarray
    ) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        self._length += 1
        arena = self._arena
        self._position, reward, ended = arena.advance(self._position, action)
        if arena.push is not None and self._length == arena.push.step:
            displacement = arena.push.distance * direction(self.np_random)
            self._position = arena.shifted(self._position, displacement)
            reward = arena.reward(self._position, action)
            ended = arena.ended(self._position)
        return self._position.copy(), float(reward), bool(ended), False, {}
