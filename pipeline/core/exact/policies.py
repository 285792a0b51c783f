"""Given policies on tables: what they are worth, and how to make them better.

Conventions and papers as in `tabular.py`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import entr

from pipeline.core.exact.mdp import (
    ROUNDING,
    Mdp,
    check_probabilities,
    check_temperature,
)
from pipeline.core.exact.tabular import backup, boltzmann


class Iterate(NamedTuple):
    """A policy and what it is worth."""

    policy: Float[ndarray, "state action"]
    q: Float[ndarray, "state action"]
    """The soft Q-function of the policy, in reward units."""


def restricted_improvement(
    q: Float[ndarray, "state action"],
    candidates: Float[ndarray, "candidate action"],
    *,
    temperature: float,
) -> Float[ndarray, "state action"]:
    """Soft policy improvement inside a set of policies (SAC 2018 Eq. 4, Lemma 2).

        π(· | s) = argmin over the set of KL( π(· | s) ‖ exp(Q(s, ·) / α) / Z(s) )

    Every state chooses among the same distributions, so the set of policies is their
    product over states. A parametric family is given by its members on a grid of
    parameters. The policy is at least as good as the one that was evaluated, in every
    state and action, if that one was chosen from the same set.

    Args:
        q: Q(s, a), in reward units.
        candidates: Distributions over actions.
        temperature: α > 0, in reward units per nat.

    Returns:
        π(a | s), each row one of the candidates; of equally good ones the first.

    Raises:
        ValueError: A candidate is no distribution, or α is not positive.
    """
    check_temperature(temperature)
    check_probabilities(candidates, "candidates")
    # -α KL up to α log Z(s), which is the same for every candidate
    fit = q @ candidates.T + temperature * entr(candidates).sum(axis=-1)
    return np.asarray(candidates[fit.argmax(axis=-1)])


def policy_state_value(
    mdp: Mdp,
    q: Float[ndarray, "state action"],
    policy: Float[ndarray, "state action"],
    *,
    temperature: float,
) -> Float[ndarray, " state"]:
    """Soft value of a policy in each state (SAC 2018 Eq. 3), 0 at terminal states.

        V(s) = Σ π(a | s) (Q(s, a) - α log π(a | s))

    Args:
        mdp: Says which states are terminal.
        q: Q(s, a), in reward units.
        policy: π(a | s).
        temperature: α > 0, in reward units per nat.
    """
    check_temperature(temperature)
    return np.where(mdp.terminal, 0.0, _fit(q, policy, temperature))


def soft_evaluation(
    mdp: Mdp, policy: Float[ndarray, "state action"], *, temperature: float
) -> Float[ndarray, "state action"]:
    """The soft Q-function of a policy, by one linear solve (SAC 2018 Eqs. 2, 3).

        Q(s, a) = r(s, a) + γ E [ V(s') ],   V = E_π [ Q - α log π ]

    Args:
        mdp: The process.
        policy: π(a | s).
        temperature: α > 0, in reward units per nat.

    Returns:
        Q^π(s, a), in reward units; the entropy at s itself is not part of it.

    Raises:
        ValueError: The policy is no policy of this process, or α is not positive.
    """
    check_temperature(temperature)
    bonus = temperature * entr(policy).sum(axis=-1)
    return solve_for_policy(mdp, policy, bonus)


def solve_for_policy(
    mdp: Mdp, policy: Float[ndarray, "state action"], bonus: Float[ndarray, " state"]
) -> Float[ndarray, "state action"]:
    """Q of a policy that is paid a bonus in every state it acts in.

    Args:
        mdp: The process.
        policy: π(a | s).
        bonus: Reward units, received in each state that is not terminal.

    Raises:
        ValueError: The policy is no policy of this process.
    """
    _check_policy(mdp, policy)
    alive = ~mdp.terminal
    reward = alive * ((policy * mdp.reward).sum(axis=-1) + bonus)
    move = np.einsum("sa,sat->st", policy, mdp.transition) * alive
    matrix = np.eye(len(alive)) - mdp.discount * move
    return backup(mdp, np.asarray(np.linalg.solve(matrix, reward)))


def soft_evaluation_sweeps(
    mdp: Mdp,
    policy: Float[ndarray, "state action"],
    q: Float[ndarray, "state action"],
    *,
    temperature: float,
) -> Iterator[Float[ndarray, "state action"]]:
    """Soft policy evaluation (SAC 2018 Lemma 1), sweep by sweep without end.

    Args:
        mdp: The process.
        policy: π(a | s).
        q: Where to start, in reward units.
        temperature: α > 0, in reward units per nat.

    Yields:
        `q` itself, then Q after every sweep, in reward units.
    """
    _check_policy(mdp, policy)
    while True:
        yield q
        value = policy_state_value(mdp, q, policy, temperature=temperature)
        q = backup(mdp, value)


def soft_policy_iteration(
    mdp: Mdp, policy: Float[ndarray, "state action"], *, temperature: float
) -> Iterator[Iterate]:
    """Soft policy iteration over all policies (SAC 2018 Theorem 1), without end.

    Each Q is at least the one before, in every state and action, and the limit is the
    optimal one. Convergence is quadratic at the end, as that of Newton's method.

    Args:
        mdp: The process.
        policy: Where to start.
        temperature: α > 0, in reward units per nat.

    Yields:
        Each policy with its soft Q-function, the first of them `policy`.
    """
    while True:
        q = soft_evaluation(mdp, policy, temperature=temperature)
        yield Iterate(policy, q)
        policy = boltzmann(q, temperature=temperature)


def restricted_policy_iteration(
    mdp: Mdp, candidates: Float[ndarray, "candidate action"], *, temperature: float
) -> Iterator[Iterate]:
    """Soft policy iteration inside a set of policies (SAC 2018 Theorem 1).

    From the policy that takes the first candidate everywhere, to the first one that
    its own improvement keeps: no policy of the set has a greater Q anywhere.

    Args:
        mdp: The process.
        candidates: Distributions over actions, as for `restricted_improvement`.
        temperature: α > 0, in reward units per nat.

    Yields:
        Each policy with its soft Q-function.
    """
    policy = np.tile(candidates[0], (len(mdp.reward), 1))
    while True:
        q = soft_evaluation(mdp, policy, temperature=temperature)
        yield Iterate(policy, q)
        best = restricted_improvement(q, candidates, temperature=temperature)
        gain = _fit(q, best, temperature) - _fit(q, policy, temperature)
        if not (gain > ROUNDING * (1 + np.abs(q).max(axis=-1))).any():
            return
        policy = best


def _fit(q: ndarray, policy: ndarray, temperature: float) -> Float[ndarray, " state"]:
    return np.asarray((policy * q + temperature * entr(policy)).sum(axis=-1))


def _check_policy(mdp: Mdp, policy: ndarray) -> None:
    if policy.shape != mdp.reward.shape:
        raise ValueError(
            f"The policy has the shape {policy.shape}; this process needs [state, "
            f"action] = {mdp.reward.shape}."
        )
    check_probabilities(policy, "policy")
