"""A linear system with a quadratic cost, whose best policies are known in closed form.

- Observation: the state s, unbounded. Start: N(0, start² I).
- Action: u in [-1, 1]^d, of which the system feels a = bound · u.
- Dynamics: s' = A s + B a + w with w ~ N(0, noise² I).
- Reward: -(s' Q s + a' R a) of the state before the step, s' its transpose.

Nothing ends an episode but its horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.config import LinearQuadratic

SYMMETRY = 1e-12
"""How far from symmetric a cost may be, relative to its largest entry."""


@dataclass(frozen=True, eq=False)
class System:
    """Dynamics and costs, per unit of whatever the action is measured in."""

    dynamics: Float[ndarray, "state state"]
    """A."""
    control: Float[ndarray, "state action"]
    """B."""
    state_cost: Float[ndarray, "state state"]
    """Q, in reward units per squared unit of state."""
    action_cost: Float[ndarray, "action action"]
    """R, in reward units per squared unit of action."""
    noise: float
    """Standard deviation of every coordinate of w."""
    start: float
    """Standard deviation of every coordinate of the first state."""

    def __post_init__(self) -> None:
        """Refuse what has no best policy.

        Raises:
            ValueError: A cost is not what it has to be.
        """
        lowest = _lowest_eigenvalue("state_cost", self.state_cost)
        if lowest < -SYMMETRY * np.abs(self.state_cost).max():
            raise ValueError(
                "`state_cost` must be positive semi-definite; its lowest eigenvalue is "
                f"{lowest:.3g}: staying away would be rewarded without end"
            )
        lowest = _lowest_eigenvalue("action_cost", self.action_cost)
        if lowest <= 0:
            raise ValueError(
                "`action_cost` must be positive definite; its lowest eigenvalue is "
                f"{lowest:.3g}: without a cost in every direction no action is best"
            )

    @classmethod
    def of(cls, task: LinearQuadratic) -> "System":
        """The system of a task, its actions measured by u in [-1, 1]^d.

        Raises:
            ValueError: Shapes do not fit, or a cost is not what it has to be.
        """
        states, actions = len(task.dynamics), len(task.control[0])
        fitting = {
            "dynamics": (states, states),
            "control": (states, actions),
            "state_cost": (states, states),
            "action_cost": (actions, actions),
        }
        matrices = {name: _matrix(task, name, shape) for name, shape in fitting.items()}
        return cls(
            dynamics=matrices["dynamics"],
            control=task.bound * matrices["control"],
            state_cost=matrices["state_cost"],
            action_cost=task.bound**2 * matrices["action_cost"],
            noise=task.noise,
            start=task.start,
        )

    def reward(
        self,
        state: Float[ndarray, "*batch state"],
        action: Float[ndarray, "*batch action"],
    ) -> Float[ndarray, "*batch"]:
        """-(s' Q s + a' R a), in reward units."""
        cost = quadratic(self.state_cost, state) + quadratic(self.action_cost, action)
        return np.asarray(-cost)

    def advance(
        self,
        state: Float[ndarray, "*batch state"],
        action: Float[ndarray, "*batch action"],
        noise: Float[ndarray, "*batch state"],
    ) -> Float[ndarray, "*batch state"]:
        """The state after a step; `noise` is N(0, I)."""
        moved = state @ self.dynamics.T + action @ self.control.T
        return np.asarray(moved + self.noise * noise)


def quadratic(
    matrix: Float[ndarray, "n n"], vector: Float[ndarray, "*batch n"]
) -> Float[ndarray, "*batch"]:
    """The form x' M x of every vector."""
    return np.asarray(np.einsum("...i,ij,...j->...", vector, matrix, vector))


def _matrix(
    task: LinearQuadratic, name: str, shape: tuple[int, int]
) -> Float[ndarray, "row column"]:
    rows: tuple[tuple[float, ...], ...] = getattr(task, name)
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ValueError(f"the rows of `{name}` differ in length")
    found = len(rows), lengths.pop()
    if found != shape:
        raise ValueError(
            f"`{name}` is {found[0]} by {found[1]} and must be {shape[0]} by "
            f"{shape[1]}: there are as many states as `dynamics` has rows, as many "
            "actions as `control` has columns"
        )
    return np.array(rows)


def _lowest_eigenvalue(name: str, matrix: Float[ndarray, "n n"]) -> float:
    if np.abs(matrix - matrix.T).max() > SYMMETRY * np.abs(matrix).max():
        raise ValueError(f"`{name}` must be symmetric: only (M + M')/2 has an effect")
    return float(np.linalg.eigvalsh(matrix)[0])


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
        self._generators = [np.random.default_rng() for _ in range(num_envs)]

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
        seeds = (
            [None if seed is None else seed + i for i in range(self.num_envs)]
            if seed is None or isinstance(seed, int)
            else seed
        )
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        for index in np.flatnonzero(mask).tolist():
            if seeds[index] is not None:
                self._generators[index] = np.random.default_rng(seeds[index])
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
        """Same spaces and dynamics as the vectorised form."""
        self.observation_space, self.action_space = _spaces(system)
        self.render_mode = render_mode
        self._system = system
        self._state = np.zeros(len(system.dynamics))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start near the origin."""
        super().reset(seed=seed)
        first = self.np_random.standard_normal(len(self._state))
        self._state = self._system.start * first
        return self._state.copy(), {}

    def step(
        self, action: ndarray
    ) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        """Move the system."""
        action = np.clip(action, -1.0, 1.0)
        reward = float(self._system.reward(self._state, action))
        noise = self.np_random.standard_normal(len(self._state))
        self._state = self._system.advance(self._state, action, noise)
        return self._state.copy(), reward, False, False, {}
