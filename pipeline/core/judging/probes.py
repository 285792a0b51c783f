"""What policies with two actions do at chosen states (SQL, Figure 1)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float

from pipeline.core.agents.base import Agent, QLearner
from pipeline.core.job import Array
from pipeline.core.population.randomness import stream

DRAWS: Final = 500
"""Actions drawn at each state."""
GRID: Final[npt.NDArray[np.float32]] = np.linspace(-1, 1, 41, dtype=np.float32)
"""Coordinates along both action axes where Q is tabulated."""


def probe(
    agent: Agent, states: Float[np.ndarray, "probe state"], seeds: Sequence[int]
) -> dict[str, Array]:
    """Draw actions, of a task with two, and tabulate Q at every state.

    Returns:
        `probe_actions` [member, state, draw, 2]; of learners that have them,
        `probe_q` [member, state, x, y] in reward units and `temperature` [member].
    """
    members, count = len(seeds), len(states)

    def at_each_state(times: int) -> torch.Tensor:
        repeated = np.repeat(states, times, axis=0)
        return torch.from_numpy(np.tile(repeated, (members, 1, 1))).to(agent.device)

    noise = np.stack(
        [
            stream(seed, "probe").standard_normal((count * DRAWS, 2), dtype=np.float32)
            for seed in seeds
        ]
    )
    chosen = torch.from_numpy(noise).to(agent.device)
    drawn = agent.sample(at_each_state(DRAWS), chosen).cpu()
    probed: dict[str, Array] = {
        "probe_actions": drawn.reshape(members, count, DRAWS, 2).numpy()
    }
    if isinstance(agent, QLearner):
        plane = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2)
        action = torch.from_numpy(np.tile(plane, (members, count, 1)))
        q = agent.q(at_each_state(len(plane)), action.to(agent.device)).cpu()
        shape = (members, count, len(GRID), len(GRID))
        probed["probe_q"] = q.reshape(shape).numpy()
    if agent.temperature is not None:
        probed["temperature"] = agent.temperature.detach().cpu().numpy()
    return probed
