"""Optimal maximum-entropy control on tables: soft Q-iteration and its policy.

Tables are indexed [state, action] or [state]. The integral over actions of the papers
is a sum here: a policy's entropy is -Σ π log π, in nats, and with |A| actions at most
log |A|. (A mean in place of the sum, that is the entropy relative to the uniform
policy, makes every Q smaller by γ α log|A| / (1 - γ) when no episode ends, and changes
the task when episodes do.) Terminal states have the value 0. Values are in reward
units, temperatures α > 0 in reward units per nat.

Papers.
  SQL       Haarnoja, Tang, Abbeel, Levine 2017, arXiv:1702.08165v2
  SAC 2018  Haarnoja, Zhou, Abbeel, Levine 2018, arXiv:1801.01290v2

`policies.py` has given policies and their improvement, `hard.py` the limit α → 0.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import logsumexp, softmax

from pipeline.core.exact.iteration import settled
from pipeline.core.exact.mdp import Mdp as Mdp
from pipeline.core.exact.mdp import check_temperature


def backup(mdp: Mdp, value: Float[ndarray, " state"]) -> Float[ndarray, "state action"]:
    """The Bellman backup (SQL Eq. 8; SAC 2018 Eq. 2).

    Q(s, a) = r(s, a) + γ Σ P(s' | s, a) V(s'),   0 at terminal states
    """
    return np.asarray(mdp.reward + mdp.discount * (mdp.transition @ value))


def soft_state_value(
    mdp: Mdp, q: Float[ndarray, "state action"], *, temperature: float
) -> Float[ndarray, " state"]:
    """The soft maximum over actions (SQL Eqs. 5, 9), and 0 at terminal states.

        V(s) = α log Σ_a exp(Q(s, a) / α)

    At least max Q and at most max Q + α log |A|.
    """
    check_temperature(temperature)
    top = q.max(axis=-1)  # apart, so that a tiny α overflows nothing
    excess = logsumexp((q - top[:, None]) / temperature, axis=-1)
    return np.where(mdp.terminal, 0.0, top + temperature * excess)


def soft_q_sweeps(
    mdp: Mdp, q: Float[ndarray, "state action"], *, temperature: float
) -> Iterator[Float[ndarray, "state action"]]:
    """Soft Q-iteration (SQL Theorem 3, Eqs. 8, 9), sweep by sweep without end.

    Every sweep shrinks the largest distance between any two Q by γ.

    Yields:
        `q` itself, then Q after every sweep.
    """
    while True:
        yield q
        q = backup(mdp, soft_state_value(mdp, q, temperature=temperature))


def soft_q_iteration(
    mdp: Mdp, *, temperature: float, tolerance: float
) -> Float[ndarray, "state action"]:
    """The optimal soft Q-function (SQL Theorems 2, 3), from Q = 0.

    No entry errs by more than `tolerance`, in reward units.

    Raises:
        ValueError: The temperature is not positive, or the tolerance is not or is
            finer than float64.
    """
    start = np.zeros_like(mdp.reward)
    sweeps = soft_q_sweeps(mdp, start, temperature=temperature)
    return settled(sweeps, horizon=mdp.horizon, tolerance=tolerance)


def boltzmann(
    q: Float[ndarray, "state action"], *, temperature: float
) -> Float[ndarray, "state action"]:
    """Soft policy improvement (SQL Eqs. 6, 17; SAC 2018 Lemma 2 over all policies).

        π(a | s) = exp(Q(s, a) / α) / Σ_b exp(Q(s, b) / α)

    Uniform in terminal states, where Q is 0 and nobody acts.
    """
    check_temperature(temperature)
    return np.asarray(
        softmax((q - q.max(axis=-1, keepdims=True)) / temperature, axis=-1)
    )
