"""The limit α → 0 of maximum-entropy control on tables: no entropy is paid for.

At every temperature 0 <= Q*_α - Q*_0 <= γ α log|A| / (1 - γ). Conventions as in
`tabular.py`; the text-book reference is Puterman, Markov Decision Processes, chapter 6.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.iteration import settled
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.tabular import backup


def greedy(q: Float[ndarray, "state action"]) -> Float[ndarray, "state action"]:
    """The policy that takes the best action; of equally good ones the first."""
    return np.asarray(np.eye(q.shape[-1])[q.argmax(axis=-1)])


def value_sweeps(
    mdp: Mdp, q: Float[ndarray, "state action"]
) -> Iterator[Float[ndarray, "state action"]]:
    """Value iteration, sweep by sweep without end.

        Q(s, a) ← r(s, a) + γ Σ P(s' | s, a) max_b Q(s', b)

    Yields:
        `q` itself, then Q after every sweep.
    """
    while True:
        yield q
        q = backup(mdp, np.where(mdp.terminal, 0.0, q.max(axis=-1)))


def value_iteration(mdp: Mdp, *, tolerance: float) -> Float[ndarray, "state action"]:
    """The optimal Q-function, from Q = 0, with no larger error than `tolerance`.

    Raises:
        ValueError: The tolerance is not positive, or finer than float64.
    """
    sweeps = value_sweeps(mdp, np.zeros_like(mdp.reward))
    return settled(sweeps, horizon=mdp.horizon, tolerance=tolerance)
