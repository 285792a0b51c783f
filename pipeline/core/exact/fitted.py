"""Fitted Q-iteration with a linear model: Q(s, a) = φ(s, a) · w.

Each sweep computes targets from the last weights and fits new ones by least squares
(Ernst, Geurts, Wehenkel 2005, JMLR 6). With one feature for each state and action and
every transition in the data it is a sweep on tables. With other features the fit need
not contract in the norm in which the backup does, and sweeps may diverge (Tsitsiklis,
Van Roy 1996, Machine Learning 22).
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.tabular import soft_state_value


def soft_fitted_sweeps(
    mdp: Mdp,
    features: Float[ndarray, "state action feature"],
    weights: Float[ndarray, " feature"],
    *,
    temperature: float,
) -> Iterator[Float[ndarray, " feature"]]:
    """Soft fitted Q-iteration, sweep by sweep without end (SQL Eqs. 9, 11).

        w ← argmin Σ P(s' | s, a) ( r + γ V(s') - φ(s, a) · w )²,
        V(s') = α log Σ_b exp(φ(s', b) · w / α), or 0 at a terminal state

    The data are all transitions out of states that are not terminal.

    Yields:
        `weights` itself, then w after every sweep. Where the data leave w open it is
        the shortest. Q = features @ w, in reward units.
    """
    possible = (mdp.transition > 0) & ~mdp.terminal[:, None, None]
    state, action, state_next = np.nonzero(possible)
    root = np.sqrt(mdp.transition[state, action, state_next])
    fit = np.linalg.pinv(root[:, None] * features[state, action]) * root
    while True:
        yield weights
        value = soft_state_value(mdp, features @ weights, temperature=temperature)
        target = mdp.reward[state, action] + mdp.discount * value[state_next]
        weights = np.asarray(fit @ target)


def one_hot(mdp: Mdp) -> Float[ndarray, "state action feature"]:
    """One feature for each state and action: the tables themselves."""
    return np.eye(mdp.reward.size).reshape(*mdp.reward.shape, -1)


def counterexample(
    *, discount: float
) -> tuple[Mdp, Float[ndarray, "state action feature"]]:
    """A process whose every value is 0, and a feature with which sweeps leave it.

    Both states move to the second, all rewards are 0, there is one action, and φ is 1
    and 2 (Tsitsiklis, Van Roy 1996). A sweep multiplies the weight by 6 γ / 5.
    """
    transition = np.array([[[0.0, 1.0]], [[0.0, 1.0]]])
    nowhere = np.zeros(2, dtype=bool)
    mdp = Mdp(transition, np.zeros((2, 1)), discount, nowhere)
    return mdp, np.array([[[1.0]], [[2.0]]])
