"""A Markov decision process as tables, and what makes tables one."""

import dataclasses
import math

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

ROUNDING = 1e-9
"""By how much the probabilities of a row may miss one: far above what float64 makes of
a few thousand terms, far below a mistake."""


@dataclasses.dataclass(frozen=True, eq=False)
class Mdp:
    """A finite Markov decision process with the same actions in every state.

    An episode ends when it *enters* a terminal state: the reward of that move still
    counts, nothing afterwards does, neither reward nor entropy. The tables therefore
    keep a terminal state where it is and pay nothing there.

    The arrays are copied to float64 and cannot be written to.

    Raises:
        ValueError: These tables are no such process, or values are not finite.
    """

    transition: Float[ndarray, "state action state"]
    """P(s' | s, a), indexed [s, a, s']."""
    reward: Float[ndarray, "state action"]
    """r(s, a), in reward units."""
    discount: float
    """γ in [0, 1), per environment step."""
    terminal: Bool[ndarray, " state"]

    def __post_init__(self) -> None:
        """Copy the arrays and refuse what is no process."""
        for name, dtype in (
            ("transition", np.float64),
            ("reward", np.float64),
            ("terminal", np.bool_),
        ):
            array = np.array(getattr(self, name), dtype=dtype)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not np.isfinite(self.reward).all():
            raise ValueError(
                f"The reward of [state, action] {_first(~np.isfinite(self.reward))} is "
                "not finite. To forbid an action, let it have the effect of another."
            )
        check_probabilities(self.transition, "transition probabilities")
        _check_terminal(self.transition, self.reward, self.terminal)
        check_discount(self.discount)

    @property
    def horizon(self) -> float:
        """1 / (1 - γ), by which a change of every reward can grow, in steps."""
        return 1 / (1 - self.discount)


def check_probabilities(table: Float[ndarray, "..."], name: str) -> None:
    """Refuse what is not a distribution over the last axis.

    Raises:
        ValueError: With the first row that is none.
    """
    if not (table >= 0).all():  # also NaN
        index = _first(~(table >= 0))
        raise ValueError(
            f"The {name} have {table[tuple(index)]} at {index}; a probability lies "
            "in [0, 1]."
        )
    total = table.sum(axis=-1)
    wrong = np.asarray(np.abs(total - 1) > ROUNDING)
    if wrong.any():
        index = _first(wrong)
        place = f" at {index}" if index else ""
        raise ValueError(
            f"The {name}{place} sum to {total[tuple(index)]:.12g}; every row must sum "
            "to 1 (divide it by its sum if it holds counts)."
        )


def check_temperature(temperature: float) -> None:
    """Refuse a temperature that is not a positive number.

    Raises:
        ValueError: α is zero, negative or not finite.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(
            f"The temperature is {temperature}; it must be above 0 and finite. "
            "(For the limit α → 0 of tables there are the hard functions.)"
        )


def check_discount(discount: float) -> None:
    """Refuse a discount without which values may be infinite.

    Raises:
        ValueError: γ is not in [0, 1).
    """
    if not 0 <= discount < 1:  # also NaN
        raise ValueError(
            f"The discount is {discount}; it must be at least 0 and below 1: without "
            "one the value of an endless episode is infinite."
        )


def _check_terminal(transition: ndarray, reward: ndarray, terminal: ndarray) -> None:
    itself = np.arange(len(reward))
    leaves = (transition[itself, :, itself] < 1 - ROUNDING).any(axis=-1)
    wrong = terminal & (leaves | (reward != 0).any(axis=-1))
    if wrong.any():
        raise ValueError(
            f"The terminal state {_first(wrong)[0]} can be left or pays a reward; it "
            "must stay where it is under every action and pay 0. What a goal is worth "
            "belongs to the moves that enter it."
        )


def _first(mask: ndarray) -> list[int]:
    return [int(i) for i in np.argwhere(mask)[0]]
