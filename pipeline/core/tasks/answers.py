"""The exact answers of tasks: which kinds have one, and how it is found.

Apart from the settings of a kind, because no training depends on it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.oracle import Oracle, Solution
from pipeline.core.tasks.linear_quadratic.settings import LinearQuadratic
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.settings import Task


class Answer(ABC):
    """How a task is solved exactly."""

    @property
    @abstractmethod
    def start(self) -> Float[ndarray, " state"]:
        """The state around which episodes start, as it is observed."""

    @property
    @abstractmethod
    def compared(self) -> Float[ndarray, "probe state"] | None:
        """States at which policies are compared with the exact one; None: nowhere."""

    @abstractmethod
    def unsolvable(self, temperature: float, *, spacing: float) -> str | None:
        """Why there is no exact answer at this temperature; None if there is one.

        α is in reward units per nat; the spacing, of the grid of a kind solved on one.
        """

    @abstractmethod
    def solve(self, temperature: float, *, spacing: float, name: str) -> Solution:
        """The soft-optimal policy: what it is worth and does, and how to rebuild it.

        Its episodes are drawn by the stream `name`.

        Raises:
            ValueError: There is none.
        """

    @abstractmethod
    def oracle(self, temperature: float, arrays: Mapping[str, ndarray]) -> Oracle:
        """The oracle, from the arrays of what `solve` found; none if it found none."""


def answer_to(task: Task) -> Answer | None:
    """How a task is solved; None for a kind that has no exact answer."""
    match task:  # with imports inside, as scipy.stats takes a third of a second
        case MultiGoal():
            from pipeline.core.tasks.multigoal.answer import MultiGoalAnswer

            return MultiGoalAnswer(task)
        case LinearQuadratic():
            from pipeline.core.tasks.linear_quadratic.answer import (
                LinearQuadraticAnswer,
            )

            return LinearQuadraticAnswer(task)
        case Navigation():
            from pipeline.core.tasks.navigation import answer

            return answer.answer_to(task)
        case _:
            return None
