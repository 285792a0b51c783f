"""A linear system with a quadratic cost, whose best policies are known in closed form.

- Observation: the state s, unbounded. Start: N(0, start² I).
- Action: u in [-1, 1]^d, of which the system feels a = bound · u.
- Dynamics: s' = A s + B a + w with w ~ N(0, noise² I).
- Reward: -(s' Q s + a' R a) of the state before the step, s' its transpose.

Nothing ends an episode but its horizon.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy import ndarray

from pipeline.core.exact.linear_system import System
from pipeline.core.tasks.resets import restarting


def _spaces(system: System) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Box]:
    states, actions = system.control.shape
    return (
        gymnasium.spaces.Box(-np.inf, np.inf, (states,), np.float64),
        gymnasium.spaces.Box(-1.0, 1.0, (actions,), np.float64),
    )


class LinearQuadraticVectorEnv(VectorEnv):
    """Many independent systems, as array code. The caller resets those cut."""

    metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012, as its base

    def __init__(self, num_envs: int, max_episode_steps: int, system: System) -> None:
        """All states are 0 until the first reset."""
        self.num_envs = num_envs
        self._limit = max_episode_steps
        self._system = system
        self.single_observation_space, self.single_action_space = _spaces(system)
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        states = len(system.dynamics)
        self._length = np.zeros(num_envs, dtype=np.int64)
        self._state = np.zeros((num_envs, states))
        self._noise = np.zeros((num_envs, max_episode_steps, states))
        self._generators = [np.random.default_rng()] * num_envs

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start again, all systems or those of `options["reset_mask"]`.

        The disturbances of a whole episode are drawn here, so that a step is one
        operation on arrays.
        """
        mask = restarting(self._generators, seed, options)
        for index in np.flatnonzero(mask).tolist():
            first = self._generators[index].standard_normal(self._state.shape[1])
            self._state[index] = self._system.start * first
            self._generators[index].standard_normal(out=self._noise[index])
        self._length[mask] = 0
        return self._state.copy(), {}

    def step(
        self, actions: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray, dict[str, Any]]:
        """Move every system; at most `max_episode_steps` times after a reset."""
        action = np.clip(actions, -1.0, 1.0)
        reward = self._system.reward(self._state, action)
        noise = self._noise[np.arange(self.num_envs), self._length]
        self._state = self._system.advance(self._state, action, noise)
        self._length += 1
        truncated = self._length >= self._limit
        never = np.zeros(self.num_envs, dtype=bool)
        return self._state.copy(), reward, never, truncated, {}


class LinearQuadraticEnv(gymnasium.Env):
    """One system, for whoever uses the task outside of this project."""

    metadata = {"render_modes": []}  # noqa: RUF012, as its base

    def __init__(self, system: System, render_mode: str | None = None) -> None:
        self.observation_space, self.action_space = _spaces(system)
        self.render_mode = render_mode
        self._system = system
        self._state = np.zeros(len(system.dynamics))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        first = self.np_random.standard_normal(len(self._state))
        self._state = self._system.start * first
        return self._state.copy(), {}

    def step(
        self, action: ndarray
    ) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        action = np.clip(action, -1.0, 1.0)
        reward = float(self._system.reward(self._state, action))
        noise = self.np_random.standard_normal(len(self._state))
        self._state = self._system.advance(self._state, action, noise)
        return self._state.copy(), reward, False, False, {}
