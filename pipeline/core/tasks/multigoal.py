"""A point in the plane and four goals that are equally good.

As in the code that the authors of soft Q-learning released in 2018. (The text of the
2017 paper describes a mixture of Gaussians as the reward; no released code does that.)

- Observation: the position x in [-7, 7]². Start: N(0, 0.1² I).
- Action: a displacement in [-1, 1]², so that x' = clip(x + a).
- Reward: -30 ‖a‖² - min_g ‖x' - g‖², and +10 within distance 1 of a goal, which ends
  the episode. Goals: (±5, 0), (0, ±5).
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from jaxtyping import Float
from numpy import ndarray

BOUND = 7.0
GOALS = np.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0], [0.0, -5.0]])
GOAL_RADIUS = 1.0
GOAL_REWARD = 10.0
ACTION_COST = 30.0
START_SCALE = 0.1


def goal_distances(
    position: Float[ndarray, "*batch 2"],
) -> Float[ndarray, "*batch goal"]:
    """Distance to every goal."""
    offset = position[..., None, :] - GOALS
    return np.asarray(np.linalg.norm(offset, axis=-1))


def advance(
    position: Float[ndarray, "*batch 2"], action: Float[ndarray, "*batch 2"]
) -> tuple[ndarray, ndarray, ndarray]:
    """One step of the dynamics.

    Returns:
        The new position, the reward, and whether a goal was reached.
    """
    action = np.clip(action, -1.0, 1.0)
    position = np.clip(position + action, -BOUND, BOUND)
    nearest = goal_distances(position).min(axis=-1)
    reached = nearest < GOAL_RADIUS
    effort = ACTION_COST * np.square(action).sum(axis=-1)
    reward = GOAL_REWARD * reached - effort - np.square(nearest)
    return position, np.asarray(reward), np.asarray(reached)


def start(generator: np.random.Generator) -> Float[ndarray, " 2"]:
    """A starting position."""
    return START_SCALE * generator.standard_normal(2)


class MultiGoalVectorEnv(VectorEnv):
    """Many independent points at once, as array code. The caller resets ended ones."""

    metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012, as its base

    def __init__(self, num_envs: int, max_episode_steps: int) -> None:
        """All points are at the origin until the first reset."""
        self.num_envs = num_envs
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
        self._generators = [np.random.default_rng() for _ in range(num_envs)]

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start again, all points or those of `options["reset_mask"]`."""
        seeds = (
            [None if seed is None else seed + i for i in range(self.num_envs)]
            if seed is None or isinstance(seed, int)
            else seed
        )
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        for index in np.flatnonzero(mask).tolist():
            if seeds[index] is not None:
                self._generators[index] = np.random.default_rng(seeds[index])
            self._position[index] = start(self._generators[index])
        self._length[mask] = 0
        return self._position.copy(), {"position": self._position.copy()}

    def step(
        self, actions: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray, dict[str, Any]]:
        """Move every point."""
        self._position, reward, reached = advance(self._position, actions)
        self._length += 1
        truncated = self._length >= self._limit
        info = {"position": self._position.copy()}
        return self._position.copy(), reward, reached, truncated, info


class MultiGoalEnv(gymnasium.Env):
    """One point, for whoever uses the task outside of this project."""

    metadata = {"render_modes": []}  # noqa: RUF012, as its base

    def __init__(self, render_mode: str | None = None) -> None:
        """Same spaces and dynamics as the vectorised form."""
        self.observation_space = gymnasium.spaces.Box(-BOUND, BOUND, (2,), np.float64)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float64)
        self.render_mode = render_mode
        self._position = np.zeros(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start near the origin."""
        super().reset(seed=seed)
        self._position = start(self.np_random)
        return self._position.copy(), {}

    def step(
        self, action: ndarray
    ) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        """Move the point."""
        self._position, reward, reached = advance(self._position, action)
        return self._position.copy(), float(reward), bool(reached), False, {}
