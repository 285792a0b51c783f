"""How far learned policies and values are from exact ones, at chosen states.

`exact/distance.py` says what the distances are and how they are estimated.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from pipeline.core.agents.base import Agent
from pipeline.core.agents.energy import EnergyPolicy
from pipeline.core.exact.distance import (
    Estimate,
    cell_masses,
    forward_kl,
    oracle_masses,
    quadrature,
    reverse_kl,
    total_variation,
)
from pipeline.core.exact.oracle import Oracle
from pipeline.core.judging.parts import parts
from pipeline.core.population.randomness import stream

VALUE_CELLS = 25
"""Cells along each axis of actions over which exp(Q/α) is integrated."""
DISTANCES = {
    "reverse_kl": reverse_kl,
    "forward_kl": forward_kl,
    "total_variation": total_variation,
}


Each: TypeAlias = Callable[
    [Callable[[int], "_AtState"], Iterable[int]], Iterable["_AtState"]
]
"""How a function is applied to each of some numbers: `map`, or a pool's."""


@dataclass(frozen=True)
class Draws:
    """What every member does at some states, and what it believes them to be worth."""

    states: Float[ndarray, "probe state"]
    temperatures: tuple[float, ...]
    """α of every member, in reward units per nat; none of learners without one."""
    actions: Float[ndarray, "member probe draw 2"]
    value: Float[ndarray, "member probe"]
    """In reward units; NaN for a learner that has no soft value."""

    def masses(self, cells: int) -> Float[ndarray, "member probe cells cells"]:
        """Share of the actions in each of `cells`² equal cells of [-1, 1]²."""
        return np.array(
            [[cell_masses(own, cells) for own in member] for member in self.actions]
        )


@dataclass(frozen=True)
class _AtState:
    """The same at one state."""

    actions: Float[ndarray, "member draw 2"]
    value: Float[ndarray, " member"]


def drawn(
    agent: Agent,
    states: Float[ndarray, "probe state"],
    seeds: Sequence[int],
    *,
    draws: int,
    each: Each = map,
) -> Draws:
    """Let every member act at every state, `draws` times, in a task with two actions.

    The noise is of each member's stream `score`. `each` computes the states one after
    another or side by side; they are independent.
    """
    at = partial(_at_state, agent, states, seeds, draws)
    found = list(each(at, range(len(states))))
    alpha = agent.temperature
    return Draws(
        states,
        () if alpha is None else tuple(alpha.tolist()),
        np.stack([one.actions for one in found], axis=1),
        np.stack([one.value for one in found], axis=1),
    )


def _at_state(
    agent: Agent,
    states: Float[ndarray, "probe state"],
    seeds: Sequence[int],
    draws: int,
    probe: int,
) -> _AtState:
    noise = _noise(seeds, probe, draws)
    row = torch.from_numpy(states[probe].astype(np.float32))
    state = row.expand(len(seeds), draws, -1)
    acted = [agent.sample(*part) for part in parts(state, noise)]
    finite = torch.cat(acted, dim=1).nan_to_num()  # of a policy that has failed
    return _AtState(finite.double().numpy(), _value(agent, state, noise))


def score(
    draws: Draws, oracle: Oracle, *, cells: int
) -> dict[str, Float[ndarray, "member probe"]]:
    """Compare every member with the oracle at every state.

    The policies are at the oracle's temperature; one that has none has distances, too.
    The histogram has `cells` along each axis.

    Returns:
        `reverse_kl`, `forward_kl` in nats, `total_variation` in [0, 1], and of each,
        with the suffix `_standard_error`, its own; `value` and `value_oracle` in reward
        units, `value_error` = |V - V*| / |V*|, the first and the last NaN for a learner
        that has no soft value.

    Raises:
        ValueError: A learner's temperature is not the oracle's; or as for
            `oracle_masses`.
    """
    _same_temperature(draws, oracle)
    at_each = [
        _distances(draws.actions[:, probe], oracle_masses(oracle, state, cells))
        for probe, state in enumerate(draws.states)
    ]
    scores = {
        name: np.stack([found[name] for found in at_each], axis=1)
        for name in at_each[0]
    }
    value, exact = draws.value, oracle.value(draws.states)
    return scores | {
        "value": value,
        "value_oracle": np.broadcast_to(exact, value.shape).copy(),
        "value_error": np.abs(value - exact) / np.abs(exact),
    }


def _distances(
    actions: Float[ndarray, "member draw 2"], masses: Float[ndarray, "cells cells"]
) -> dict[str, Float[ndarray, " member"]]:
    """Every distance at one state, with its standard error."""
    columns = {}
    for name, distance in DISTANCES.items():
        found: list[Estimate] = [distance(own, masses) for own in actions]
        columns[name] = np.array([each.value for each in found])
        errors = [each.standard_error for each in found]
        columns[f"{name}_standard_error"] = np.array(errors)
    return columns


def _same_temperature(draws: Draws, oracle: Oracle) -> None:
    for own in draws.temperatures:
        if not math.isclose(own, oracle.temperature, rel_tol=1e-5):
            raise ValueError(
                f"a policy of temperature {own:.6g} is not to be compared with an "
                f"oracle of temperature {oracle.temperature:.6g}: solve the task at "
                "the policy's"
            )


def _noise(
    seeds: Sequence[int], probe: int, draws: int
) -> Float[Tensor, "member draw 2"]:
    """Normal numbers that depend on the member's seed and the probe's place only."""
    each = [
        stream(seed, "score", probe).standard_normal((draws, 2), dtype=np.float32)
        for seed in seeds
    ]
    return torch.from_numpy(np.array(each))


def _value(
    agent: Agent,
    state: Float[Tensor, "member draw state"],
    noise: Float[Tensor, "member draw 2"],
) -> Float[ndarray, " member"]:
    """The soft value that each learner believes in; NaN where there is none.

    Of soft Q-learning α log ∫ exp(Q/α) da, by quadrature; of soft actor-critic the mean
    of Q - α log π over its own draws, the lower by α KL(π ‖ exp(Q/α)).
    """
    if isinstance(agent, EnergyPolicy):
        return _integrated(agent, state[:, :1])
    believed = [agent.soft_value(*part) for part in parts(state, noise)]
    known = [part for part in believed if part is not None]
    if not known:
        return np.full(len(noise), np.nan)
    return torch.cat(known, dim=1).double().mean(dim=1).numpy()


def _integrated(
    agent: EnergyPolicy, state: Float[Tensor, "member 1 state"]
) -> Float[ndarray, " member"]:
    nodes, weights = (torch.from_numpy(x) for x in quadrature(VALUE_CELLS))
    alpha = agent.temperature.double()
    action = nodes.float().expand(len(alpha), -1, -1)
    everywhere = state.expand(-1, len(nodes), -1)
    q = torch.cat([agent.q(*part) for part in parts(everywhere, action)], dim=1)
    energy = q.double() / alpha[:, None] + weights.log()
    return np.asarray((alpha * torch.logsumexp(energy, dim=1)).numpy())
