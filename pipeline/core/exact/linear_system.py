"""A linear system with a quadratic cost: s' = A s + B a + w, r = -(s' Q s + a' R a)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

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


def _lowest_eigenvalue(name: str, matrix: Float[ndarray, "n n"]) -> float:
    if np.abs(matrix - matrix.T).max() > SYMMETRY * np.abs(matrix).max():
        raise ValueError(f"`{name}` must be symmetric: only (M + M')/2 has an effect")
    return float(np.linalg.eigvalsh(matrix)[0])
