"""How a linear system with a quadratic cost is solved exactly, in closed form."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.linear_quadratic import LinearQuadraticOracle
from pipeline.core.exact.oracle import Solution
from pipeline.core.tasks.answers import Answer
from pipeline.core.tasks.linear_quadratic.settings import LinearQuadratic

COUNTED_ACTIONS = 2
"""Of a policy whose actions are counted in cells of a square."""


class LinearQuadraticAnswer(Answer):
    """The soft regulator."""

    def __init__(self, task: LinearQuadratic) -> None:
        self._task = task

    @property
    def start(self) -> Float[ndarray, " state"]:
        return np.zeros(len(self._task.dynamics))

    @property
    def compared(self) -> Float[ndarray, "probe state"] | None:
        """The mean of the starts, and one deviation from it along each axis.

        None if actions are not two, which a histogram of `cells`² is of.
        """
        if len(self._task.control[0]) != COUNTED_ACTIONS:
            return None
        dimensions = len(self._task.dynamics)
        away = np.vstack([np.zeros(dimensions), self._task.start * np.eye(dimensions)])
        return away if self._task.start else away[:1]

    def unsolvable(self, temperature: float, *, spacing: float) -> str | None:
        try:
            self.oracle(temperature, {})
        except ValueError as error:
            return str(error)
        return None

    def solve(self, temperature: float, *, spacing: float, name: str) -> Solution:
        oracle = self.oracle(temperature, {})
        origin = np.zeros((1, len(self._task.dynamics)))
        numbers = {
            "value": float(oracle.value(origin)[0]),
            "entropy": oracle.regulator.entropy,
        }
        return Solution(numbers, {})

    def oracle(
        self, temperature: float, arrays: Mapping[str, ndarray]
    ) -> LinearQuadraticOracle:
        """The closed form, which needs no arrays.

        Raises:
            ValueError: As for `system`, or as for `LinearQuadraticOracle.solve`.
        """
        return LinearQuadraticOracle.solve(
            self._task.system,
            temperature,
            discount=self._task.discount,
            horizon=self._task.horizon,
            bound=self._task.bound,
        )
