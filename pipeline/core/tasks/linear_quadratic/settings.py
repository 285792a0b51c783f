"""What is written of a linear system with a quadratic cost, and its exact answer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import PositiveInt

from pipeline.core.config.evaluation import Evaluation
from pipeline.core.config.values import Discount, Matrix, NonNegative, Positive
from pipeline.core.exact.linear_system import System
from pipeline.core.tasks.kind import Kind

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


class LinearQuadratic(Kind):
    """A linear system s' = A s + B a + w with the reward -(s' Q s + a' R a).

    The action a is `bound` times what the policy does in [-1, 1]^d. Nothing ends an
    episode but its horizon.
    """

    kind: Literal["linear_quadratic"]
    dynamics: Matrix
    """A [state, state]."""
    control: Matrix
    """B [state, action]."""
    state_cost: Matrix
    """Q [state, state], symmetric and positive semi-definite."""
    action_cost: Matrix
    """R [action, action], symmetric and positive definite."""
    noise: NonNegative
    """Standard deviation of every coordinate of w ~ N(0, noise² I)."""
    start: NonNegative
    """Standard deviation of every coordinate of the first state."""
    bound: Positive
    """Half-width of the box of actions a."""
    horizon: PositiveInt
    discount: Discount
    objective: Literal["return"]
    evaluation: Evaluation

    @property
    def time_limit(self) -> int:
        return self.horizon

    @property
    def system(self) -> System:
        """The system, its actions measured by u in [-1, 1]^d.

        Raises:
            ValueError: Shapes do not fit, or a cost is not what it has to be.
        """
        states, actions = len(self.dynamics), len(self.control[0])
        shapes = {
            "dynamics": (states, states),
            "control": (states, actions),
            "state_cost": (states, states),
            "action_cost": (actions, actions),
        }
        matrices = {name: self._matrix(name, shape) for name, shape in shapes.items()}
        return System(
            dynamics=matrices["dynamics"],
            control=self.bound * matrices["control"],
            state_cost=matrices["state_cost"],
            action_cost=self.bound**2 * matrices["action_cost"],
            noise=self.noise,
            start=self.start,
        )

    def _matrix(
        self, name: str, shape: tuple[int, int]
    ) -> Float[ndarray, "row column"]:
        rows: tuple[tuple[float, ...], ...] = getattr(self, name)
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

    def environments(self, count: int) -> "VectorEnv":
        from pipeline.core.tasks.linear_quadratic.environments import (
            LinearQuadraticVectorEnv,
        )

        return LinearQuadraticVectorEnv(count, self.horizon, self.system)

    @property
    def spaces(self) -> object:
        return self.kind, len(self.dynamics), len(self.action_cost)

    @property
    def widths(self) -> tuple[int, int]:
        return len(self.dynamics), len(self.action_cost)

    def mistakes(self) -> Iterator[tuple[str, str]]:
        try:
            _ = self.system
        except ValueError as error:
            yield "", str(error)
