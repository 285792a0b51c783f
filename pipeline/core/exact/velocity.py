"""The exact soft-optimal policy of a point with momentum that is paid for its speed.

In an open plane without an end the place does not matter: what is to come depends on
the velocity alone, which an action changes by

    v' = κ v + (1 - κ) a / max(1, ‖a‖),     Q(v, a) = g(v') - c ‖a‖² + γ V(v'),

so that ‖v'‖ <= 1. V(v) = α log ∫ exp(Q(v, a) / α) da (SQL Eq. 9, over [-1, 1]²) is
found on a grid of velocities and interpolated between its nodes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.sparse import csr_array
from scipy.special import logsumexp

from pipeline.core.exact.backup import action_grid, blocks, log_weights
from pipeline.core.exact.box_policy import BoxPolicy
from pipeline.core.exact.iteration import TOLERANCE, bracketed
from pipeline.core.exact.mdp import check_discount, check_temperature
from pipeline.core.exact.resolution import EDGE, is_whole


@dataclass(frozen=True)
class Momentum:
    """How a velocity changes and what it is worth."""

    kept: float
    """κ: share of its velocity that a body keeps in a step."""
    effort: float
    """c: what ‖a‖² = 1 costs, in reward units."""
    worth: Callable[[Float[ndarray, "*batch 2"]], Float[ndarray, "*batch"]]
    """g: reward of a step with a velocity, in reward units."""

    def velocity(
        self, velocity: Float[ndarray, "*#batch 2"], action: Float[ndarray, "*#batch 2"]
    ) -> Float[ndarray, "*batch 2"]:
        """The velocity after a step."""
        length = np.linalg.norm(action, axis=-1, keepdims=True)
        thrust = action / np.maximum(length, 1.0)
        return np.asarray(self.kept * velocity + (1 - self.kept) * thrust)

    def reward(
        self, after: Float[ndarray, "*#batch 2"], action: Float[ndarray, "*#batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """Of a step that has led to a velocity, in reward units."""
        cost = self.effort * np.square(action).sum(axis=-1)
        return np.asarray(self.worth(after) - cost)


def too_coarse(temperature: float, spacing: float) -> str | None:
    """Why a grid of velocities and actions cannot be used; None if it can."""
    if not 0 < spacing <= 1 or not is_whole(1 / spacing):
        return (
            "velocities and actions reach from -1 to 1, so 1 / spacing must be a "
            f"whole number, found {1 / spacing:g}"
        )
    if spacing > EDGE * temperature * (1 + 1e-9):
        finest = int(np.ceil(1 / (EDGE * temperature) - 1e-9))
        return (
            f"at temperature {temperature:g} densities change e-fold across "
            f"{temperature:g} of an action, which a spacing of {spacing:g} does not "
            f"resolve; {1 / finest:.4g} does"
        )
    return None


@dataclass(frozen=True)
class VelocityOracle(BoxPolicy):
    """V* on a grid of velocities; Q* and π* follow from it.

    The last two numbers of a state are its velocity; nothing else of it matters.
    """

    momentum: Momentum
    temperature: float
    discount: float
    v: Float[ndarray, "x y"]
    """Soft value at every node of [-1, 1]², in reward units."""

    @classmethod
    def solve(
        cls, momentum: Momentum, temperature: float, *, discount: float, spacing: float
    ) -> "VelocityOracle":
        """Soft value iteration (SQL Theorem 3) until V is within 10⁻⁶ of its limit.

        The limit is that of this grid: nothing is said about the grid's own error.

        Args:
            momentum: How a velocity changes and what it is worth.
            temperature: α > 0, in reward units per nat.
            discount: γ in [0, 1), per environment step.
            spacing: h of velocities and actions; `too_coarse` says which can be used.

        Raises:
            ValueError: α or γ is out of range, the grid is too coarse, or γ is so near
                to 1 that float64 does not resolve 10⁻⁶.
        """
        check_temperature(temperature)
        check_discount(discount)
        if reason := too_coarse(temperature, spacing):
            raise ValueError(reason)
        v = bracketed(
            _sweeps(momentum, temperature, discount, spacing),
            horizon=1 / (1 - discount),
            tolerance=TOLERANCE,
            ends=False,
        )
        return cls(momentum, temperature, discount, v)

    @property
    def between_actions(self) -> float:
        return 2 / (len(self.v) - 1)

    def q(
        self, state: Float[ndarray, "n state"], action: Float[ndarray, "n k 2"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a), in reward units; V* is interpolated between nodes, nothing else."""
        from scipy.ndimage import map_coordinates  # .2 s that a check need not pay

        after = self.momentum.velocity(state[:, None, -2:], action)
        index = (np.moveaxis(after, -1, 0) + 1) / self.between_actions
        v = map_coordinates(self.v, index, order=1, mode="nearest")
        return self.momentum.reward(after, action) + self.discount * np.asarray(v)


def _sweeps(
    momentum: Momentum, temperature: float, discount: float, spacing: float
) -> Iterator[Float[ndarray, "x y"]]:
    """Soft values after each sweep, without end."""
    grid = action_grid(spacing)  # of velocities, too: both are in [-1, 1]²
    velocity = grid.reshape(-1, 1, 2)
    action = grid.reshape(1, -1, 2)
    after = momentum.velocity(velocity, action)
    weight = np.add.outer(log_weights(spacing), log_weights(spacing)).ravel()
    gain = momentum.reward(after, action) / temperature + weight
    ahead = _interpolation(after.reshape(-1, 2), spacing)
    v = np.zeros(grid.shape[:2])
    while True:
        yield v
        q = gain + discount / temperature * (ahead @ v.ravel()).reshape(gain.shape)
        v = np.concatenate([logsumexp(block, axis=1) for block in blocks(q)])
        v = temperature * v.reshape(grid.shape[:2])


def _interpolation(place: Float[ndarray, "n 2"], spacing: float) -> csr_array:
    """The matrix that interpolates what is given at the nodes of [-1, 1]²."""
    side = 2 * round(1 / spacing) + 1
    index = (place + 1) / spacing
    corner = np.clip(np.floor(index).astype(np.int32), 0, side - 2)
    share = np.stack([corner + 1 - index, index - corner])  # of the lower, the upper
    weights = np.einsum("in,jn->nij", share[..., 0], share[..., 1])
    x, y = (corner[:, axis, None] + np.arange(2, dtype=np.int32) for axis in (0, 1))
    node = x[:, :, None] * side + y[:, None, :]
    first = 4 * np.arange(len(place) + 1)
    return csr_array((weights.ravel(), node.ravel(), first), (len(place), side**2))
