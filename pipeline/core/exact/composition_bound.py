"""How much is lost when soft Q-functions are averaged instead of learned anew.

Two tasks have the same dynamics, rewards r₁ and r₂, optimal soft Q-functions Q₁ and Q₂
and policies π₁ and π₂ at one temperature α. For the reward r_C = (r₁ + r₂) / 2 and
Q_S = (Q₁ + Q₂) / 2 (Haarnoja et al. 2018, arXiv:1803.06773, there with α = 1)

    Q_S(s, a)  ≥  Q*_C(s, a)  ≥  Q_S(s, a) - C(s, a),
    C(s, a) = γ E[α/2 · D(s') + max_a' C(s', a')],
    D(s) = D_½(π₁ ‖ π₂)(s) = -2 log ∫ √(π₁ π₂) da.

Any α follows from α = 1 because dividing all rewards by α divides every Q by α and
leaves the policies alone. It is also seen at once: α log ∫ exp(Q_S / α) =
(V₁ + V₂) / 2 - α/2 · D, so that a soft Bellman backup of r_C takes γ E[α/2 · D] off
Q_S; the first inequality holds because backups are monotone, the second by induction.
For the sum r₁ + r₂ there is no such bound: averaged rewards doubled are those of α / 2,
at which Q₁ and Q₂ are not optimal.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import map_coordinates, maximum_filter

from pipeline.core.exact.backup import Backup
from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.iteration import settled

TOLERANCE = 1e-6
"""Of C, in reward units: how far the iteration may be from its limit."""


class PlaneGap:
    """C in the plane, on the grid on which both tasks were solved.

    The largest C is looked for at all nodes within reach of a move, whether a wall is
    in between or not: with walls the bound is looser than it could be.
    """

    def __init__(self, first: GridOracle, second: GridOracle) -> None:
        """Compute the divergence and C at every node, from the oracles of two tasks.

        Raises:
            ValueError: They differ in temperature, discount, grid, effort or walls, or
                goals end episodes; or γ is so near to 1 that float64 does not resolve
                `TOLERANCE`.
        """
        self._spacing, self._discount = first.spacing, first.discount
        for name, own, other in (
            ("temperature", first.temperature, second.temperature),
            ("discount", first.discount, second.discount),
            ("grid", first.v.shape, second.v.shape),
            ("effort", first.plane.effort, second.plane.effort),
            ("set of walls", first.plane.walls.tolist(), second.plane.walls.tolist()),
        ):
            if own != other:
                raise ValueError(
                    f"the bound is for oracles of one {name}, found {own} and {other}"
                )
        if first.plane.ends or second.plane.ends:
            raise ValueError("the bound is for tasks whose episodes no goal ends")
        self._bound = (len(first.v) - 1) / 2 * self._spacing
        self.divergence: Float[ndarray, "x y"] = _divergence(first, second)
        self._due = _due(
            first.temperature / 2 * self.divergence,
            reach=round(1 / self._spacing),
            discount=self._discount,
        )

    def __call__(
        self, position_next: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """C(s, a) of the actions that lead to these positions, in reward units."""
        index = (np.moveaxis(position_next, -1, 0) + self._bound) / self._spacing
        due = map_coordinates(self._due, index, order=1, mode="nearest")
        return np.asarray(self._discount * due + TOLERANCE)


def _divergence(first: GridOracle, second: GridOracle) -> Float[ndarray, "x y"]:
    """D_½ at every node, from what a soft backup of r_C takes off (V₁ + V₂) / 2.

    One sweep of soft value iteration, instead of an integral at every node.
    """
    backup, other = (
        Backup(each.plane, each.temperature, each.spacing) for each in (first, second)
    )
    reward, value = (backup.reward + other.reward) / 2, (first.v + second.v) / 2
    taken = value - backup(reward + first.discount * value)
    return np.asarray(2 / first.temperature * np.maximum(taken, 0.0))


def _due(
    paid: Float[ndarray, "x y"], *, reach: int, discount: float
) -> Float[ndarray, "x y"]:
    """F = α/2 · D + γ max F over everything within reach, so that C(s, a) = γ F(s')."""

    def sweeps() -> Iterator[Float[ndarray, "x y"]]:
        due = paid
        while True:
            yield due
            best = maximum_filter(due, size=2 * reach + 1, mode="nearest")
            due = np.asarray(paid + discount * best)

    return settled(sweeps(), horizon=1 / (1 - discount), tolerance=TOLERANCE)
