"""How far learned policies and values are from exact ones, at chosen states.

`exact/distance.py` says what the distances are and how they are estimated.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from pipeline.core.agents.base import Agent
from pipeline.core.agents.energy import EnergyPolicy
from pipeline.core.exact.distance import (
    Estimate,
    forward_kl,
    oracle_masses,
    quadrature,
    reverse_kl,
    total_variation,
)
from pipeline.core.exact.oracle import Oracle
from pipeline.core.population.randomness import stream

AT_ONCE = 4096
"""Actions of each member that go through a network together; bounds memory only."""
VALUE_CELLS = 25
"""Cells along each axis of actions over which exp(Q/α) is integrated."""
DISTANCES = {
    "reverse_kl": reverse_kl,
    "forward_kl": forward_kl,
    "total_variation": total_variation,
}


def score(
    agent: Agent,
    oracle: Oracle,
    states: Float[ndarray, "probe state"],
    seeds: Sequence[int],
    *,
    draws: int,
    cells: int,
) -> dict[str, Float[ndarray, "member probe"]]:
    """Compare every member with the oracle at every state, in a task with two actions.

    The policies are at the oracle's temperature; one that has none has distances, too.
    `draws` actions at each state come from each member's stream `score`; the histogram
    has `cells` along each axis.

    Returns:
        `reverse_kl`, `forward_kl` in nats, `total_variation` in [0, 1], and of each,
        with the suffix `_standard_error`, its own; `value` and `value_oracle` in reward
        units, `value_error` = |V - V*| / |V*|, the first and the last NaN for a learner
        that has no soft value.

    Raises:
        ValueError: A learner's temperature is not the oracle's; or as for
            `oracle_masses`.
    """
    _same_temperature(agent, oracle)
    noise = _noise(seeds, probes=len(states), draws=draws)
    at_each = []
    for probe, state in enumerate(states):
        masses = oracle_masses(oracle, state, cells)
        found = _distances(_drawn(agent, state, noise[:, probe]), masses)
        at_each.append(found | {"value": _value(agent, state, noise[:, probe])})
    scores = {
        name: np.stack([found[name] for found in at_each], axis=1)
        for name in at_each[0]
    }
    exact = oracle.value(states)
    scores["value_oracle"] = np.broadcast_to(exact, scores["value"].shape).copy()
    scores["value_error"] = np.abs(scores["value"] - exact) / np.abs(exact)
    return scores


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


def _same_temperature(agent: Agent, oracle: Oracle) -> None:
    if agent.temperature is None:
        return
    for own in agent.temperature.tolist():
        if not math.isclose(own, oracle.temperature, rel_tol=1e-5):
            raise ValueError(
                f"a policy of temperature {own:.6g} is not to be compared with an "
                f"oracle of temperature {oracle.temperature:.6g}: solve the task at "
                "the policy's"
            )


def _noise(
    seeds: Sequence[int], *, probes: int, draws: int
) -> Float[Tensor, "member probe draw 2"]:
    """Normal numbers that depend on the member's seed and the probe's place only."""
    drawn = [
        [
            stream(seed, "score", probe).standard_normal((draws, 2), dtype=np.float32)
            for probe in range(probes)
        ]
        for seed in seeds
    ]
    return torch.from_numpy(np.array(drawn))


def _repeated(
    state: Float[ndarray, " state"], members: int, count: int
) -> Float[Tensor, "member count state"]:
    row = torch.from_numpy(state.astype(np.float32))
    return row.expand(members, count, -1)


def _drawn(
    agent: Agent, state: Float[ndarray, " state"], noise: Float[Tensor, "member draw 2"]
) -> Float[ndarray, "member draw 2"]:
    parts = [
        agent.sample(_repeated(state, len(part), part.shape[1]), part)
        for part in torch.split(noise, AT_ONCE, dim=1)
    ]
    drawn = torch.cat(parts, dim=1).nan_to_num()  # of a policy that has failed
    return drawn.double().numpy()


def _value(
    agent: Agent, state: Float[ndarray, " state"], noise: Float[Tensor, "member draw 2"]
) -> Float[ndarray, " member"]:
    """The soft value that each learner believes in; NaN where there is none.

    Of soft Q-learning α log ∫ exp(Q/α) da, by quadrature; of soft actor-critic the mean
    of Q - α log π over its own draws, the lower by α KL(π ‖ exp(Q/α)).
    """
    if isinstance(agent, EnergyPolicy):
        return _integrated(agent, state)
    parts = [
        agent.soft_value(_repeated(state, len(part), part.shape[1]), part)
        for part in torch.split(noise, AT_ONCE, dim=1)
    ]
    known = [part for part in parts if part is not None]
    if not known:
        return np.full(len(noise), np.nan)
    return torch.cat(known, dim=1).double().mean(dim=1).numpy()


def _integrated(
    agent: EnergyPolicy, state: Float[ndarray, " state"]
) -> Float[ndarray, " member"]:
    nodes, weights = (torch.from_numpy(x) for x in quadrature(VALUE_CELLS))
    alpha = agent.temperature.double()
    parts = [
        agent.q(
            _repeated(state, len(alpha), len(part)),
            part.float().expand(len(alpha), -1, -1),
        )
        for part in torch.split(nodes, AT_ONCE)
    ]
    q = torch.cat(parts, dim=1).double()
    energy = q / alpha[:, None] + weights.log()
    return np.asarray((alpha * torch.logsumexp(energy, dim=1)).numpy())
