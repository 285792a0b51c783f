"""The exact soft-optimal policy of tasks in the plane, by soft value iteration.

A point moves by x' = clip(x + a), so that what an action is worth splits into what it
costs, what its place is worth, and in some tasks what the way is worth:

    Q(x, a) = -c ‖a‖² + g(x' - x) + W(x'),    W(x') = r(x') + γ (1 - ended(x')) V(x').

On a grid of positions whose spacing is also that of the actions, the soft value
V(x) = α log ∫ exp(Q(x, a) / α) da (SQL Eq. 9) is without g a convolution in the log
domain, and because ‖a‖² is a sum over the axes it is done one axis after the other.
Where a wall is within reach, and everywhere with g, every action is looked at by
itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.backup import Backup, inside_walls, nodes
from pipeline.core.exact.box_policy import BoxPolicy
from pipeline.core.exact.iteration import TOLERANCE, bracketed
from pipeline.core.exact.mdp import check_discount, check_temperature
from pipeline.core.exact.plane import Plane
from pipeline.core.exact.resolution import is_narrow, too_coarse


@dataclass(frozen=True)
class GridOracle(BoxPolicy):
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
            spacing: h of positions and actions; `too_coarse` says which can be used.

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
        if reason := too_coarse(plane, temperature, spacing):
            raise ValueError(reason)
        backup = Backup(plane, temperature, spacing)
        v = bracketed(
            _sweeps(backup, discount),
            horizon=1 / (1 - discount),
            tolerance=TOLERANCE,
            ends=plane.ends,
            where=backup.free,
        )
        return cls(plane, temperature, discount, v)

    @property
    def spacing(self) -> float:
        """Distance h between nodes of positions."""
        return 2 * self.plane.bound / (len(self.v) - 1)

    @property
    def between_actions(self) -> float:
        return self.spacing

    @property
    def is_narrow(self) -> bool:
        return is_narrow(self.plane, self.temperature)

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
        self, state: Float[ndarray, "n 2"], action: Float[ndarray, "#n k 2"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a), in reward units; V* is interpolated between nodes, nothing else."""
        from scipy.ndimage import map_coordinates  # .2 s that a check need not pay

        there, reward, ended = self.plane.advance(state[:, None], action)
        index = (np.moveaxis(there, -1, 0) + self.plane.bound) / self.spacing
        v = map_coordinates(self._smooth, index, order=1, mode="nearest")
        return np.asarray(reward + self.discount * ~ended * v)


def _sweeps(backup: Backup, discount: float) -> Iterator[Float[ndarray, "x y"]]:
    v = np.zeros_like(backup.reward)
    while True:
        yield v
        v = backup(backup.reward + discount * backup.going_on * v)
