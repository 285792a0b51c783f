"""The exact soft-optimal policy of tasks in the plane, by soft value iteration.

A point moves by x' = clip(x + a), so that what an action is worth splits into what it
costs and what its place is worth:

    Q(x, a) = -c ‖a‖² + W(x'),      W(x') = r(x') + γ (1 - ended(x')) V(x').

On a grid of positions whose spacing is also that of the actions, the soft value
V(x) = α log ∫ exp(Q(x, a) / α) da (SQL Eq. 9) is then a convolution in the log domain,
and because ‖a‖² is a sum over the axes it is done one axis after the other. Where a
wall is within reach every action is looked at by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.special import logsumexp, ndtr

from pipeline.core.exact.backup import (
    Backup,
    action_axis,
    blocks,
    inside_walls,
    log_weights,
    nodes,
)
from pipeline.core.exact.iteration import settled
from pipeline.core.exact.mdp import check_discount, check_temperature
from pipeline.core.exact.plane import Plane

TOLERANCE = 1e-6
"""Of V, in reward units, for a grid that is as it is: no error of the grid is in it."""
RESOLVED = 0.8
"""Spacings that the standard deviation of exp(-c ‖a‖² / α) must have at least. The
trapezoidal rule errs by the share exp(-2π² · 0.8²) = 3·10⁻⁶ there, in the integral over
actions alone. The edge of a goal, where the reward jumps and episodes end, is between
two nodes: that errs by the first order of the spacing, and most where α is small. At
α = .1 V*(0) is .2 % higher with .025 than with .05, at α = 1 by .1 %."""


def too_coarse(spacing: float, temperature: float, *, effort: float) -> str | None:
    """Why a grid cannot be used, in a sentence; None if it can.

    Args:
        spacing: h, of positions and actions.
        temperature: α, in reward units per nat.
        effort: c, what ‖a‖² = 1 costs, in reward units.
    """
    if not 0 < spacing <= 1:
        return f"a spacing must be above 0 and at most 1, found {spacing:g}"
    steps = 1 / spacing
    if abs(steps - round(steps)) > 1e-6:
        return (
            "actions reach from -1 to 1 and positions from -7 to 7, so 1 / spacing "
            f"must be a whole number, found {steps:g}; try {1 / round(steps):g}"
        )
    width = np.sqrt(temperature / (2 * effort))
    if width < RESOLVED * spacing:
        finest = int(np.ceil(RESOLVED / width))
        return (
            f"at temperature {temperature:g} actions spread by {width:.2g}, which a "
            f"spacing of {spacing:g} does not resolve; {1 / finest:.4g} does"
        )
    return None


@dataclass(frozen=True)
class GridOracle:
    """V* of a task in the plane on a grid of positions; Q* and π* follow from it."""

    plane: Plane
    temperature: float
    discount: float
    v: Float[ndarray, "x y"]
    """Soft value at every node, in reward units."""

    @classmethod
    def solve(
        cls, plane: Plane, temperature: float, *, discount: float, spacing: float
    ) -> "GridOracle":
        """Soft value iteration (SQL Theorem 3) until V is within 10⁻⁶ of its limit.

        The limit is that of this grid: nothing is said about the grid's own error.

        Args:
            plane: The task.
            temperature: α > 0, in reward units per nat.
            discount: γ in [0, 1), per environment step.
            spacing: h of positions and actions; 1 / h is a whole number.

        Raises:
            ValueError: α or γ is out of range, the grid is too coarse, γ is so near to
                1 that float64 does not resolve 10⁻⁶, or something pushes the point.
        """
        check_temperature(temperature)
        check_discount(discount)
        if plane.depends_on_time:
            raise ValueError(
                "a task with a push has no best policy of the place alone: it "
                "depends on the time, too; solve it without the push"
            )
        effort = plane.effort
        if reason := too_coarse(spacing, temperature, effort=effort):
            raise ValueError(reason)
        backup = Backup(plane, temperature, spacing)
        sweeps = _sweeps(backup, discount)
        v = settled(sweeps, horizon=1 / (1 - discount), tolerance=TOLERANCE)
        return cls(plane, temperature, discount, v)

    @property
    def spacing(self) -> float:
        """Distance h between nodes, of positions and of actions."""
        return 2 * self.plane.bound / (len(self.v) - 1)

    @cached_property
    def actions(self) -> Float[ndarray, "k 2"]:
        """The grid of actions, over which is integrated."""
        axis = action_axis(self.spacing)
        return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)

    @cached_property
    def log_weights(self) -> Float[ndarray, " k"]:
        """Log of the weights of the trapezoidal rule."""
        one = log_weights(self.spacing)
        return np.asarray(np.add.outer(one, one).ravel())

    @cached_property
    def _smooth(self) -> Float[ndarray, "x y"]:
        """V with the inside of walls filled from the nearest free place.

        Nobody is ever inside; interpolation beside a wall must not see what is there.
        """
        inside = inside_walls(self.plane, nodes(self.plane.bound, self.spacing))
        if not inside.any():
            return self.v
        from scipy.ndimage import distance_transform_edt

        nearest = distance_transform_edt(
            inside, return_distances=False, return_indices=True
        )
        return np.asarray(self.v[tuple(nearest)])

    def q(
        self, state: Float[ndarray, "n 2"], action: Float[ndarray, "n k 2"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a), in reward units; V* is interpolated between nodes, nothing else."""
        from scipy.ndimage import map_coordinates  # .2 s that a check need not pay

        start = np.broadcast_to(state[:, None], action.shape)
        there, reward, ended = self.plane.advance(start, action)
        index = (np.moveaxis(there, -1, 0) + self.plane.bound) / self.spacing
        v = map_coordinates(self._smooth, index, order=1, mode="nearest")
        return np.asarray(reward + self.discount * ~ended * v)

    def value(self, state: Float[ndarray, "n 2"]) -> Float[ndarray, " n"]:
        """V*(s) = α log ∫ exp(Q*(s, a) / α) da, in reward units (SQL Eq. 5)."""
        parts = [self._on_grid(block)[1] for block in blocks(state)]
        return np.concatenate(parts)

    def entropy(self, state: Float[ndarray, "n 2"]) -> Float[ndarray, " n"]:
        """Entropy of π*(· | s) with respect to volume in [-1, 1]², in nats."""
        parts = []
        for block in blocks(state):
            log_density, _ = self._on_grid(block)
            mass = np.exp(log_density + self.log_weights)
            parts.append(-(mass * log_density).sum(axis=1))
        return np.concatenate(parts)

    def act(
        self, state: Float[ndarray, "n 2"], noise: Float[ndarray, "n 2"]
    ) -> Float[ndarray, "n 2"]:
        """Draws from π*, a function of standard normal noise.

        The density is taken as constant around each node of the grid of actions; the
        first number chooses along x, the second along y given x.
        """
        uniform = ndtr(noise)
        drawn = []
        for rows in blocks(np.arange(len(state))):
            log_density, _ = self._on_grid(state[rows])
            side = round(np.sqrt(len(self.actions)))
            mass = np.exp(log_density + self.log_weights).reshape(-1, side, side)
            x, column = _inverse(mass.sum(axis=2), uniform[rows, 0])
            given_x = np.take_along_axis(mass, column[:, None, None], axis=1)[:, 0]
            y, _ = _inverse(given_x, uniform[rows, 1])
            drawn.append(np.stack([x, y], axis=1))
        return np.concatenate(drawn)

    def _on_grid(
        self, state: Float[ndarray, "n 2"]
    ) -> tuple[Float[ndarray, "n k"], Float[ndarray, " n"]]:
        """Log-density of π* at the grid of actions, and V*."""
        shape = (len(state), *self.actions.shape)
        q = self.q(state, np.broadcast_to(self.actions, shape)) / self.temperature
        log_sum = logsumexp(q + self.log_weights, axis=1)
        return q - log_sum[:, None], self.temperature * log_sum


def _sweeps(backup: Backup, discount: float) -> Iterator[Float[ndarray, "x y"]]:
    v = np.zeros_like(backup.reward)
    while True:
        yield v
        v = backup(backup.reward + discount * backup.going_on * v)


def _inverse(
    mass: Float[ndarray, "n k"], uniform: Float[ndarray, " n"]
) -> tuple[Float[ndarray, " n"], Int[ndarray, " n"]]:
    """Inverse distribution function of cells between -1 and 1, and the cell's index.

    The cells are those of the trapezoidal rule: the two outer ones are half as wide.
    """
    nodes = np.linspace(-1, 1, mass.shape[1])
    middles = (nodes[1:] + nodes[:-1]) / 2
    edges = np.concatenate([[-1.0], middles, [1.0]])
    sums = mass.cumsum(axis=1)
    sums /= sums[:, -1:]
    cell = np.minimum((sums <= uniform[:, None]).sum(axis=1), mass.shape[1] - 1)
    above = np.take_along_axis(sums, cell[:, None], axis=1)[:, 0]
    inside = np.take_along_axis(mass, cell[:, None], axis=1)[:, 0] / mass.sum(axis=1)
    share = 1 - (above - uniform) / np.maximum(inside, np.finfo(float).tiny)
    width = edges[cell + 1] - edges[cell]
    return edges[cell] + np.clip(share, 0, 1) * width, cell
