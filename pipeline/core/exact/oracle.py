"""What an exact solution of a task can say, whatever way it was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from numpy import ndarray


@runtime_checkable
class Oracle(Protocol):
    """The soft-optimal values of a task at one temperature.

    The density of the soft-optimal policy with respect to volume in [-1, 1]^d is
    π*(a | s) = exp((Q*(s, a) - V*(s)) / α) (SQL Eq. 6).
    """

    @property
    def temperature(self) -> float:
        """α, in reward units per nat."""

    def value(self, state: Float[ndarray, "n state"]) -> Float[ndarray, " n"]:
        """V*(s), in reward units (SQL Eq. 5)."""

    def q(
        self, state: Float[ndarray, "n state"], action: Float[ndarray, "n k action"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a), in reward units (SQL Eq. 4)."""


@dataclass(frozen=True)
class Solution:
    """What is written of a solved task."""

    numbers: dict[str, float]
    """What the soft-optimal policy is worth and does; see `docs/metrics.md`."""
    arrays: Mapping[str, ndarray]
    """What the oracle is rebuilt from, and what figures show; may be empty."""
