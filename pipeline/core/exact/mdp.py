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
        ValueError: These tables are no such process, or values are not finite: a
            discount of 1 is allowed only if every policy ends every episode.
    """

    transition: Float[ndarray, "state action state"]
    """P(s' | s, a), indexed [s, a, s']."""
    reward: Float[ndarray, "state action"]
    """r(s, a), in reward units."""
    discount: float
    """γ in [0, 1], per environment step."""
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
        check_tables(self.transition, self.reward)
        _check_terminal(self.transition, self.reward, self.terminal)
        _check_discount(self)

    @property
    def horizon(self) -> float:
        """The factor 1 / (1 - γ) by which a change of every reward can grow.

        In environment steps. With γ = 1 it is the most steps, in expectation, that
        any policy can make an episode last from any state (Bertsekas, Tsitsiklis
        1991, on stochastic shortest paths, where it weighs the norm).
        """
        if self.discount < 1:
            return 1 / (1 - self.discount)
        return float(_longest(self).max())


def check_tables(
    transition: Float[ndarray, "..."], reward: Float[ndarray, "..."]
) -> None:
    """Refuse tables that are not probabilities and rewards of the same states.

    Raises:
        ValueError: With the first mistake.
    """
    if reward.ndim != 2 or 0 in reward.shape:
        raise ValueError(
            f"The rewards have the shape {reward.shape}; they need [state, action] "
            "with at least one of each."
        )
    states, actions = reward.shape
    if transition.shape != (states, actions, states):
        raise ValueError(
            f"The transitions have the shape {transition.shape}; rewards of the shape "
            f"{reward.shape} need [state, action, state] = "
            f"{(states, actions, states)}."
        )
    if not np.isfinite(reward).all():
        raise ValueError(
            f"The reward of [state, action] {_first(~np.isfinite(reward))} is not "
            "finite. To forbid an action, let it have the effect of another one."
        )
    check_probabilities(transition, "transition probabilities")


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


def staying(mdp: Mdp) -> Bool[ndarray, " state"]:
    """The states in which some policy can avoid every terminal state for ever.

    The largest set that some action never leaves: found by removing, until nothing
    changes, each state that all actions leave with positive probability.
    """
    stays = ~mdp.terminal
    while True:
        leaves = (mdp.transition[:, :, ~stays] > 0).any(axis=-1)  # [state, action]
        kept = stays & ~leaves.all(axis=-1)
        if (kept == stays).all():
            return np.asarray(stays)
        stays = kept


def _check_terminal(transition: ndarray, reward: ndarray, terminal: ndarray) -> None:
    if terminal.shape != (len(reward),):
        raise ValueError(
            f"The mask of terminal states has the shape {terminal.shape}; there are "
            f"{len(reward)} states."
        )
    itself = np.arange(len(reward))
    leaves = (transition[itself, :, itself] < 1 - ROUNDING).any(axis=-1)
    wrong = terminal & (leaves | (reward != 0).any(axis=-1))
    if wrong.any():
        raise ValueError(
            f"The terminal state {_first(wrong)[0]} can be left or pays a reward; it "
            "must stay where it is under every action and pay 0. What a goal is worth "
            "belongs to the moves that enter it."
        )


def _check_discount(mdp: Mdp) -> None:
    if not 0 <= mdp.discount <= 1:  # also NaN
        raise ValueError(f"The discount is {mdp.discount}; it must lie in [0, 1].")
    if mdp.discount == 1 and staying(mdp).any():
        raise ValueError(
            "The discount is 1, but episodes need not end: a policy can stay for ever "
            f"among the states {np.flatnonzero(staying(mdp)).tolist()}, and the sum of "
            "rewards and entropies is infinite. Use a discount below 1, or make every "
            "action leave them for a terminal state with positive probability."
        )


def _longest(mdp: Mdp) -> Float[ndarray, " state"]:
    """The longest expected time to termination over policies, by policy iteration."""
    itself, best = np.arange(len(mdp.reward)), np.zeros(len(mdp.reward), dtype=int)
    alive = mdp.transition * ~mdp.terminal
    while True:
        matrix = np.eye(len(itself)) - alive[itself, best]
        steps = np.asarray(np.linalg.solve(matrix, (~mdp.terminal).astype(float)))
        longer = alive @ steps
        gain = longer.max(axis=-1) - longer[itself, best]
        if (gain <= ROUNDING * np.maximum(steps, 1)).all():
            return steps
        best = np.where(gain > ROUNDING, longer.argmax(axis=-1), best)


def _first(mask: ndarray) -> list[int]:
    return [int(i) for i in np.argwhere(mask)[0]]
