"""The limit α → 0 of maximum-entropy control on tables: no entropy is paid for.

At every temperature 0 <= Q*_α - Q*_0 <= γ α log|A| / (1 - γ). Conventions as in
`tabular.py`; the text-book reference is Puterman, Markov Decision Processes, chapter 6.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.iteration import settled
from pipeline.core.exact.mdp import ROUNDING, Mdp
from pipeline.core.exact.policies import Iterate, solve_for_policy
from pipeline.core.exact.tabular import backup


def evaluation(
    mdp: Mdp, policy: Float[ndarray, "state action"]
) -> Float[ndarray, "state action"]:
    """The Q-function of a policy, by one linear solve.

    Args:
        mdp: The process.
        policy: π(a | s).

    Returns:
        Q^π(s, a), in reward units.

    Raises:
        ValueError: The policy is no policy of this process.
    """
    return solve_for_policy(mdp, policy, np.zeros(len(mdp.reward)))


def greedy(q: Float[ndarray, "state action"]) -> Float[ndarray, "state action"]:
    """The policy that takes the best action; of equally good ones the first."""
    return np.asarray(np.eye(q.shape[-1])[q.argmax(axis=-1)])


def policy_iteration(
    mdp: Mdp, policy: Float[ndarray, "state action"]
) -> Iterator[Iterate]:
    """Policy iteration, to the first policy that no other action betters.

    Each Q is at least the one before, in every state and action; the last is optimal.

    Args:
        mdp: The process.
        policy: Where to start.

    Yields:
        Each policy with its Q-function, the first of them `policy`.
    """
    while True:
        q = evaluation(mdp, policy)
        yield Iterate(policy, q)
        gain = q.max(axis=-1) - (policy * q).sum(axis=-1)
        better = gain > ROUNDING * (1 + np.abs(q).max(axis=-1))
        if not better.any():
            return
        policy = np.where(better[:, None], greedy(q), policy)


def value_sweeps(
    mdp: Mdp, q: Float[ndarray, "state action"]
) -> Iterator[Float[ndarray, "state action"]]:
    """Value iteration, sweep by sweep without end.

        Q(s, a) ← r(s, a) + γ Σ P(s' | s, a) max_b Q(s', b)

    Args:
        mdp: The process.
        q: Where to start, in reward units.

    Yields:
        `q` itself, then Q after every sweep, in reward units.
    """
    while True:
        yield q
        q = backup(mdp, np.where(mdp.terminal, 0.0, q.max(axis=-1)))


def value_iteration(mdp: Mdp, *, tolerance: float) -> Float[ndarray, "state action"]:
    """The optimal Q-function, from Q = 0.

    Args:
        mdp: The process.
        tolerance: The largest error of any entry, guaranteed, in reward units.

    Returns:
        Q*(s, a), in reward units.

    Raises:
        ValueError: The tolerance is not positive, or finer than float64.
    """
    sweeps = value_sweeps(mdp, np.zeros_like(mdp.reward))
    return settled(sweeps, horizon=mdp.horizon, tolerance=tolerance)
