"""Given policies on tables: what they are worth, and how to make them better.

Conventions and papers as in `tabular.py`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import entr

from pipeline.core.exact.mdp import Mdp, check_probabilities, check_temperature
from pipeline.core.exact.tabular import backup, boltzmann


class Iterate(NamedTuple):
    """A policy and its soft Q-function."""

    policy: Float[ndarray, "state action"]
    q: Float[ndarray, "state action"]


def soft_evaluation(
    mdp: Mdp, policy: Float[ndarray, "state action"], *, temperature: float
) -> Float[ndarray, "state action"]:
    """The soft Q-function of a policy, by one linear solve (SAC 2018 Eqs. 2, 3).

        Q(s, a) = r(s, a) + γ E [ V(s') ],   V = E_π [ Q - α log π ]

    The entropy at s itself is not part of it.

    Raises:
        ValueError: A row of the policy is no distribution, or α is not positive.
    """
    check_temperature(temperature)
    check_probabilities(policy, "policy")
    bonus = temperature * entr(policy).sum(axis=-1)
    alive = ~mdp.terminal
    reward = alive * ((policy * mdp.reward).sum(axis=-1) + bonus)
    move = np.einsum("sa,sat->st", policy, mdp.transition) * alive
    matrix = np.eye(len(alive)) - mdp.discount * move
    return backup(mdp, np.asarray(np.linalg.solve(matrix, reward)))


def soft_policy_iteration(
    mdp: Mdp, policy: Float[ndarray, "state action"], *, temperature: float
) -> Iterator[Iterate]:
    """Soft policy iteration over all policies (SAC 2018 Theorem 1), without end.

    Each Q is at least the one before, in every state and action, and the limit is the
    optimal one. Convergence is quadratic at the end, as that of Newton's method.

    Yields:
        Each policy with its soft Q-function, the first of them `policy`.
    """
    while True:
        q = soft_evaluation(mdp, policy, temperature=temperature)
        yield Iterate(policy, q)
        policy = boltzmann(q, temperature=temperature)
