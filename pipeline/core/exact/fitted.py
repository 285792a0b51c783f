"""Fitted Q-iteration with a linear model: Q(s, a) = φ(s, a) · w.

Each sweep computes targets from the last weights and fits new ones by least squares
(Ernst, Geurts, Wehenkel 2005, JMLR 6). With one feature for each state and action and
every transition in the data it is a sweep on tables. With other features the fit need
not contract in the norm in which the backup does, and sweeps may diverge (Tsitsiklis,
Van Roy 1996, Machine Learning 22).
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.tabular import soft_state_value


@dataclasses.dataclass(frozen=True, eq=False)
class Transitions:
    """What was seen of a process, and how much each sight weighs in the fit."""

    state: Int[ndarray, " sample"]
    action: Int[ndarray, " sample"]
    reward: Float[ndarray, " sample"]
    """In reward units."""
    state_next: Int[ndarray, " sample"]
    weight: Float[ndarray, " sample"]
    """Non-negative; only its ratios matter."""


def every_transition(mdp: Mdp) -> Transitions:
    """All possible transitions out of states that are not terminal.

    Weighed by their probability, so that averages over them are expectations.
    """
    possible = (mdp.transition > 0) & ~mdp.terminal[:, None, None]
    state, action, state_next = np.nonzero(possible)
    weight = mdp.transition[state, action, state_next]
    return Transitions(state, action, mdp.reward[state, action], state_next, weight)


def sampled_transitions(
    mdp: Mdp, count: int, *, generator: np.random.Generator
) -> Transitions:
    """Independent transitions, from evenly drawn states (not terminal) and actions.

    Args:
        mdp: The process.
        count: How many.
        generator: Whose next numbers are used.
    """
    state = generator.choice(np.flatnonzero(~mdp.terminal), size=count)
    action = generator.integers(mdp.reward.shape[1], size=count)
    cumulative = mdp.transition[state, action].cumsum(axis=-1)
    level = generator.random(count) * cumulative[:, -1]
    state_next = (cumulative <= level[:, None]).sum(axis=-1)
    reward = mdp.reward[state, action]
    return Transitions(state, action, reward, state_next, np.ones(count))


def one_hot(mdp: Mdp) -> Float[ndarray, "state action feature"]:
    """One feature for each state and action: the tables themselves."""
    shape = mdp.reward.shape
    return np.eye(mdp.reward.size).reshape(*shape, -1)


def soft_fitted_sweeps(
    mdp: Mdp,
    data: Transitions,
    features: Float[ndarray, "state action feature"],
    weights: Float[ndarray, " feature"],
    *,
    temperature: float,
) -> Iterator[Float[ndarray, " feature"]]:
    """Soft fitted Q-iteration, sweep by sweep without end (SQL Eqs. 9, 11).

        w ← argmin Σ ( r + γ V(s') - φ(s, a) · w )²,
        V(s') = α log Σ_b exp(φ(s', b) · w / α), or 0 at a terminal state

    Args:
        mdp: Only its discount and terminal states are used.
        data: The transitions to fit; they stay the same.
        features: φ(s, a), at least one.
        weights: Where to start.
        temperature: α > 0, in reward units per nat.

    Yields:
        `weights` itself, then w after every sweep. Where the data leave w open it is
        the shortest. Q = features @ w, in reward units.

    Raises:
        ValueError: The features do not belong to the process, or α is not positive.
    """
    project = _projection(mdp, data, features)
    while True:
        yield weights
        q = features @ weights
        value = soft_state_value(mdp, q, temperature=temperature)
        target = data.reward + mdp.discount * value[data.state_next]
        weights = project @ target


def hard_fitted_sweeps(
    mdp: Mdp,
    data: Transitions,
    features: Float[ndarray, "state action feature"],
    weights: Float[ndarray, " feature"],
) -> Iterator[Float[ndarray, " feature"]]:
    """Fitted Q-iteration, sweep by sweep without end: the limit α → 0.

    As `soft_fitted_sweeps` with V(s') = max_b φ(s', b) · w.
    """
    project = _projection(mdp, data, features)
    while True:
        yield weights
        value = np.where(mdp.terminal, 0.0, (features @ weights).max(axis=-1))
        target = data.reward + mdp.discount * value[data.state_next]
        weights = project @ target


def two_state_counterexample(
    *, discount: float, stay: float
) -> tuple[Mdp, Float[ndarray, "state action feature"]]:
    """A process whose every value is 0, and a feature with which sweeps leave it.

    State 0 moves to state 1, which stays with probability `stay` and else ends; all
    rewards are 0, there is one action, and φ = (1, 2, 0). Fitted to all transitions
    (Tsitsiklis, Van Roy 1996), a sweep multiplies the weight by γ (2 + 4 stay) / 5.

    Args:
        discount: γ.
        stay: Probability in [0, 1].
    """
    transition = np.array([[[0, 1, 0]], [[0, stay, 1 - stay]], [[0, 0, 1.0]]])
    terminal = np.array([False, False, True])
    mdp = Mdp(transition, np.zeros((3, 1)), discount, terminal)
    return mdp, np.array([[[1.0]], [[2.0]], [[0.0]]])


def _projection(
    mdp: Mdp, data: Transitions, features: ndarray
) -> Float[ndarray, "feature sample"]:
    """The matrix that turns targets into the weights that fit them best."""
    if features.shape[:2] != mdp.reward.shape:
        raise ValueError(
            f"The features have the shape {features.shape}; this process needs [state, "
            f"action, feature] with {mdp.reward.shape} states and actions."
        )
    root = np.sqrt(data.weight)
    design = features[data.state, data.action]
    return np.asarray(np.linalg.pinv(root[:, None] * design) * root)
