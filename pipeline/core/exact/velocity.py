"""The exact soft-optimal policy of a point with momentum that is paid for its speed.

In an open plane without an end the place does not matter: what is to come depends on
the velocity v alone, which an action changes by

    v' = κ v + (1 - κ) u(a),     Q(v, a) = g(v') - c ‖a‖² + γ V(v').

V(v) = α log ∫ exp(Q(v, a) / α) da (SQL Eq. 9) is found at the nodes of a grid of
velocities and is a cubic spline along each axis between them. (Linear between nodes, a
convex V is too high everywhere, and a step adds to it: by 5 % with 1/5 at α = .5.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.backup import action_grid, log_weights
from pipeline.core.exact.box_policy import BoxPolicy
from pipeline.core.exact.iteration import TOLERANCE, bracketed
from pipeline.core.exact.mdp import check_discount, check_temperature
from pipeline.core.exact.resolution import EDGE, is_whole, too_large

COARSEST: Final = 0.2
"""Spacing of velocities; along each axis a spline has eleven nodes, then."""

FINER: Final = 10
"""Times finer than its grid, on which V is tabulated for whoever asks."""


@dataclass(frozen=True)
class Momentum:
    """A body whose velocity has no component beyond ±1, and what it is paid for."""

    velocity: Callable[
        [Float[ndarray, "*#batch 2"], Float[ndarray, "*#batch 2"]],
        Float[ndarray, "*batch 2"],
    ]
    """v' of a velocity and an action; each component of the one affects its own."""
    worth: Callable[[Float[ndarray, "*batch 2"]], Float[ndarray, "*batch"]]
    """g: reward of a step that ends with a velocity, in reward units."""
    effort: float
    """c: what ‖a‖² = 1 costs, in reward units."""

    def reward(
        self, after: Float[ndarray, "*#batch 2"], action: Float[ndarray, "*#batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """Of a step that has led to a velocity, in reward units."""
        cost = self.effort * np.square(action).sum(axis=-1)
        return np.asarray(self.worth(after) - cost)


def too_coarse(temperature: float, spacing: float) -> str | None:
    """Why a grid of velocities cannot be used, in a sentence; None if it can."""
    if not 0 < spacing <= COARSEST:
        return (
            f"velocities need a spacing above 0 and at most {COARSEST:g}, found "
            f"{spacing:g}"
        )
    if not is_whole(1 / spacing):
        return (
            "velocities reach from -1 to 1, so 1 / spacing must be a whole number, "
            f"found {1 / spacing:g}; try {1 / np.ceil(1 / spacing):g}"
        )
    velocities, actions = (
        (2 / between + 1) ** 2 for between in (spacing, _between_actions(temperature))
    )
    return too_large(velocities * actions)


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

        The limit is that of this grid, and the bound that of an operator whose weights
        are positive; those of a spline are nearly so.

        Args:
            momentum: The body and what it is paid for.
            temperature: α > 0, in reward units per nat.
            discount: γ in [0, 1), per environment step.
            spacing: h of velocities; `too_coarse` says which can be used.

        Raises:
            ValueError: α or γ is out of range, the grid is too coarse, or γ is so near
                to 1 that float64 does not resolve 10⁻⁶.
        """
        check_temperature(temperature)
        check_discount(discount)
        if reason := too_coarse(temperature, spacing):
            raise ValueError(reason)
        sweeps = _sweeps(momentum, temperature, discount, spacing)
        horizon = 1 / (1 - discount)
        v = bracketed(sweeps, horizon=horizon, tolerance=TOLERANCE, ends=False)
        return cls(momentum, temperature, discount, v)

    @property
    def between_actions(self) -> float:
        return 2 / (len(self.v) - 1)

    @property
    def is_narrow(self) -> bool:
        return False

    @cached_property
    def _fine(self) -> Float[ndarray, "x y"]:
        """V on a grid so fine that between its nodes it may be linear."""
        fine = np.linspace(-1, 1, FINER * (len(self.v) - 1) + 1)
        along = _spline(len(self.v), fine)
        return np.asarray(along @ self.v @ along.T)

    def q(
        self, state: Float[ndarray, "n state"], action: Float[ndarray, "#n k 2"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a), in reward units; V* alone is interpolated."""
        from scipy.ndimage import map_coordinates  # .2 s that a check need not pay

        after = self.momentum.velocity(state[:, None, -2:], action)
        index = (np.moveaxis(after, -1, 0) + 1) / 2 * (len(self._fine) - 1)
        v = map_coordinates(self._fine, index, order=1, mode="nearest")
        return self.momentum.reward(after, action) + self.discount * np.asarray(v)


def _between_actions(temperature: float) -> float:
    """Spacing of actions: Q changes by about 1 across a unit of them."""
    return 1 / int(np.ceil(1 / min(EDGE * temperature, 0.1) - 1e-9))


def _spline(
    nodes: int, places: Float[ndarray, "*batch"]
) -> Float[ndarray, "*batch node"]:
    """What a cubic spline through nodes in [-1, 1] makes of each, at some places."""
    from scipy.interpolate import CubicSpline  # .2 s that a check need not pay

    through = CubicSpline(np.linspace(-1, 1, nodes), np.eye(nodes))
    return np.asarray(through(places))


def _sweeps(
    momentum: Momentum, temperature: float, discount: float, spacing: float
) -> Iterator[Float[ndarray, "x y"]]:
    """Soft values after each sweep, without end."""
    between = _between_actions(temperature)
    action = action_grid(between).reshape(-1, 1, 1, 2)
    grid = action_grid(spacing)  # of velocities, which are in the same box
    weight = np.add.outer(log_weights(between), log_weights(between))
    after = momentum.velocity(grid, action)
    gain = momentum.reward(after, action) / temperature + weight.reshape(-1, 1, 1)
    along_x = _spline(len(grid), after[:, :, 0, 0])
    along_y = np.swapaxes(_spline(len(grid), after[:, 0, :, 1]), 1, 2).copy()
    v = np.zeros(grid.shape[:2])
    while True:
        yield v
        q = along_x @ (discount / temperature * v) @ along_y
        q += gain
        top = q.max(axis=0)
        q -= top
        v = temperature * (top + np.log(np.exp(q, out=q).sum(axis=0)))
