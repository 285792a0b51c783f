"""All episodes of a fixed length on tables."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.special import log_softmax

from pipeline.core.exact.mdp import Mdp


@dataclass(frozen=True, eq=False)
class Problem:
    """Episodes of a fixed length, and how much their entropy is worth."""

    mdp: Mdp
    start: Float[ndarray, " state"]
    """Distribution of the first state; a terminal one must have probability 0."""
    horizon: int
    """Environment steps of an episode that enters no terminal state."""
    temperature: float
    """α > 0, in reward units per nat."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a policy's logits: [time, state, action]."""
        return self.horizon, *self.mdp.reward.shape


@dataclass(frozen=True, eq=False)
class Paths:
    """Episodes. After its end an episode stays where it is and counts for nothing."""

    states: Int[ndarray, "path time"]
    """Before each action."""
    actions: Int[ndarray, "path time"]
    weight: Float[ndarray, " path"]
    """The probabilities of the episodes; they sum to 1."""


def every_path(problem: Problem, logits: Float[ndarray, "time state action"]) -> Paths:
    """All sequences of states and actions, with their probabilities."""
    time, states, actions = problem.shape
    pairs = np.array(list(product(range(states * actions), repeat=time)))
    at, does = np.divmod(pairs, actions)
    chosen = np.take_along_axis(
        log_policy_of(logits)[np.arange(time), at], does[..., None], axis=-1
    ).squeeze(-1)
    moved = problem.mdp.transition[at[:, :-1], does[:, :-1], at[:, 1:]]
    weight = problem.start[at[:, 0]] * np.exp(chosen.sum(axis=1)) * moved.prod(axis=1)
    possible = weight > 0
    return Paths(at[possible], does[possible], weight[possible])


def log_policy_of(
    logits: Float[ndarray, "time state action"],
) -> Float[ndarray, "time state action"]:
    """The log-probabilities log π_t(a | s) of a softmax policy, in nats."""
    return np.asarray(log_softmax(logits, axis=-1))
