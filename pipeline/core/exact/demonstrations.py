"""What the theorems say, as numbers to draw: each function returns named arrays.

Every number of a problem is an argument. Rewards, values and distances are in reward
units, temperatures in reward units per nat, log-probabilities in nats. Optimal
Q-functions are solved to `RESOLUTION`, so distances below it mean nothing.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact import hard
from pipeline.core.exact.fitted import counterexample, one_hot, soft_fitted_sweeps
from pipeline.core.exact.gridworld import GridWorld
from pipeline.core.exact.inference import (
    Episode,
    believed_dynamics,
    evidence_bound,
    exact_posterior,
    log_evidence,
    variational,
    visited_marginals,
)
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.policies import soft_policy_iteration
from pipeline.core.exact.tabular import (
    boltzmann,
    soft_q_iteration,
    soft_q_sweeps,
    soft_state_value,
)

RESOLUTION = 1e-9
"""The guaranteed error of every optimal Q here, in reward units."""


def contraction(
    mdp: Mdp, temperatures: Sequence[float], *, sweeps: int
) -> dict[str, ndarray]:
    """Soft Q-iteration from Q = 0 against what its contraction promises.

    Returns:
        `temperature` [n]; `sweep` [sweeps + 1], from 0; `distance` [n, sweeps + 1],
        the largest |Q_k - Q*| over states and actions; `bound` [n, sweeps + 1], γᵏ
        times the first distance.
    """
    count, start = np.arange(sweeps + 1), np.zeros_like(mdp.reward)
    distance = np.empty((len(temperatures), len(count)))
    for row, temperature in zip(distance, temperatures, strict=True):
        best = soft_q_iteration(mdp, temperature=temperature, tolerance=RESOLUTION)
        iteration = soft_q_sweeps(mdp, start, temperature=temperature)
        row[:] = [np.abs(q - best).max() for q in islice(iteration, len(count))]
    return {
        "temperature": np.array(temperatures),
        "sweep": count,
        "distance": distance,
        "bound": distance[:, :1] * mdp.discount**count,
    }


def fitted(
    mdp: Mdp, temperatures: Sequence[float], *, sweeps: int, discount: float
) -> dict[str, ndarray]:
    """Soft fitted Q-iteration: a sweep on tables, or one that diverges.

    Returns:
        `sweep` [sweeps + 1], from 0; `difference` [n, sweeps + 1], the largest
        |φ · w_k - Q_k| from soft Q-iteration, both from Q = 0, with a feature for each
        state and action; `linear` and `tabular` [sweeps + 1], the largest |Q_k| of the
        counterexample from w = 1, with its own feature and on its table.
    """
    count, table = sweeps + 1, one_hot(mdp)
    start, difference = np.zeros_like(mdp.reward), []
    for alpha in temperatures:
        fits = _fits(mdp, table, start.ravel(), temperature=alpha, count=count)
        exact = islice(soft_q_sweeps(mdp, start, temperature=alpha), count)
        difference.append(np.abs(fits - np.stack(list(exact))).max(axis=(1, 2)))
    process, own = counterexample(discount=discount)
    linear = _fits(process, own, np.ones(1), temperature=1.0, count=count)
    table = one_hot(process)
    tabular = _fits(process, table, own.ravel(), temperature=1.0, count=count)
    return {
        "sweep": np.arange(count),
        "difference": np.stack(difference),
        "linear": np.abs(linear).max(axis=(1, 2)),
        "tabular": np.abs(tabular).max(axis=(1, 2)),
    }


def _fits(
    mdp: Mdp, features: ndarray, weights: ndarray, *, temperature: float, count: int
) -> Float[ndarray, "sweep state action"]:
    sweeps = soft_fitted_sweeps(mdp, features, weights, temperature=temperature)
    return np.stack([features @ each for each in islice(sweeps, count)])


def hard_limit(mdp: Mdp, temperatures: Sequence[float]) -> dict[str, ndarray]:
    """The optimal soft Q over temperatures, down to the hard one.

    Returns:
        `temperature` [n]; `q` [n, state, action]; `q_hard` [state, action]; `gap` [n],
        the largest Q*_α - Q*_0; `least_gap` [n], the smallest over states that are not
        terminal, never negative; `bound` [n], γ α log|A| / (1 - γ).
    """
    soft = np.stack(
        [
            soft_q_iteration(mdp, temperature=temperature, tolerance=RESOLUTION)
            for temperature in temperatures
        ]
    )
    limit = hard.value_iteration(mdp, tolerance=RESOLUTION)
    gap = (soft - limit)[:, ~mdp.terminal]
    bonus = np.array(temperatures) * np.log(mdp.reward.shape[1])
    return {
        "temperature": np.array(temperatures),
        "q": soft,
        "q_hard": limit,
        "gap": gap.max(axis=(1, 2)),
        "least_gap": gap.min(axis=(1, 2)),
        "bound": (mdp.horizon - 1) * bonus,
    }


def grid_policies(
    world: GridWorld, mdp: Mdp, temperatures: Sequence[float]
) -> dict[str, ndarray]:
    """Optimal policies on a grid world: how both ways stay open, and for how long.

    Returns:
        `temperature` [n]; `policy` [n, row, column, action], probabilities in the
        order of `gridworld.MOVES`; `value` [n, row, column], the soft V*; `visits`
        [n, row, column], expected discounted visits from the start, in environment
        steps; `value_hard` and `policy_hard` and `visits_hard`, the same without the
        first axis for α → 0, where of equally good actions the first is taken. Row 0
        is the lowest; walls hold NaN.
    """
    tables: dict[str, list[ndarray]] = {"policy": [], "value": [], "visits": []}
    for temperature in temperatures:
        q = soft_q_iteration(mdp, temperature=temperature, tolerance=RESOLUTION)
        value = soft_state_value(mdp, q, temperature=temperature)
        policy = boltzmann(q, temperature=temperature)
        for name, table in _drawn(world, mdp, policy, value).items():
            tables[name].append(table)
    limit = hard.value_iteration(mdp, tolerance=RESOLUTION)
    ties = limit.round(6)  # so that rounding does not choose among equal actions
    drawn = _drawn(world, mdp, hard.greedy(ties), limit.max(axis=-1))
    return {
        "temperature": np.array(temperatures),
        **{name: np.stack(each) for name, each in tables.items()},
        **{f"{name}_hard": table for name, table in drawn.items()},
    }


def monotone_improvement(
    mdp: Mdp, policy: Float[ndarray, "state action"], *, temperature: float, count: int
) -> dict[str, ndarray]:
    """Soft policy iteration: every Q is at least the one before.

    Returns:
        `iteration` [count], from 0; `q` [count, state, action]; `least_rise` and
        `largest_rise` [count - 1] over the actions of states that are not terminal,
        the least not negative but for rounding; `distance` [count], the largest
        |Q - Q*|.
    """
    iteration = soft_policy_iteration(mdp, policy, temperature=temperature)
    q = np.stack([iterate.q for iterate in islice(iteration, count)])
    best = soft_q_iteration(mdp, temperature=temperature, tolerance=RESOLUTION)
    rise = np.diff(q, axis=0)[:, ~mdp.terminal]
    return {
        "iteration": np.arange(count),
        "q": q,
        "least_rise": rise.min(axis=(1, 2)),
        "largest_rise": rise.max(axis=(1, 2)),
        "distance": np.abs(q - best).max(axis=(1, 2)),
    }


def risky_choice(
    temperatures: Sequence[float],
    *,
    probability: float,
    safe: float,
    win: float,
    lose: float,
) -> dict[str, ndarray]:
    """A safe action and a gamble, chosen by the two versions of inference.

    Returns:
        `temperature` [n]; `exact` and `variational` [n, 2], the first-step policies
        over (safe, gamble); `exact_return` and `variational_return` [n], what they
        earn in the true dynamics; `believed_win` [n], the chance of winning that the
        exact posterior believes in; `log_evidence` and `evidence_bound` [n].
    """
    episode = gamble(probability=probability, safe=safe, win=win, lose=lose)
    columns: dict[str, list[ndarray | float]] = {
        name: [] for name in ("believed_win", "log_evidence", "evidence_bound")
    }
    answers: dict[str, list[ndarray]] = {"exact": [], "variational": []}
    for temperature in temperatures:
        optimist = exact_posterior(episode, temperature=temperature)
        believed = believed_dynamics(episode, optimist)[0, 0, 1, 2]
        columns["believed_win"].append(believed)
        columns["log_evidence"].append(log_evidence(episode, temperature=temperature))
        bound = evidence_bound(episode, temperature=temperature)
        columns["evidence_bound"].append(bound)
        answers["exact"].append(optimist.policy)
        answers["variational"].append(
            variational(episode, temperature=temperature).policy
        )
    earned = {
        f"{name}_return": np.array(
            [
                (visited_marginals(episode, policy) * episode.reward).sum()
                for policy in policies
            ]
        )
        for name, policies in answers.items()
    }
    first = {name: np.stack(each)[:, 0, 0] for name, each in answers.items()}
    numbers = {name: np.array(each) for name, each in columns.items()}
    return {"temperature": np.array(temperatures), **first, **earned, **numbers}


def gamble(*, probability: float, safe: float, win: float, lose: float) -> Episode:
    """Two steps: choose (safe, gamble) in state 0, be paid in state 1, 2 or 3.

    States 1, 2, 3: after the safe action, after winning, after losing.
    """
    transition = np.zeros((4, 2, 4))
    transition[0, 0, 1] = 1.0
    transition[0, 1, 2:] = probability, 1 - probability
    transition[1:] = np.eye(4)[1:, None]
    reward = np.repeat([[0.0], [safe], [win], [lose]], 2, axis=1)
    return Episode(transition, reward, np.eye(4)[0], 2)


def _drawn(
    world: GridWorld, mdp: Mdp, policy: ndarray, value: ndarray
) -> dict[str, ndarray]:
    move = np.einsum("sa,sat->ts", policy, mdp.transition) * ~mdp.terminal
    start = np.eye(len(value))[world.start]
    visits = np.linalg.solve(np.eye(len(value)) - mdp.discount * move, start)
    by_action = [world.on_grid(column) for column in policy.T]
    return {
        "policy": np.stack(by_action, axis=-1),
        "value": world.on_grid(value),
        "visits": world.on_grid(visits),
    }
