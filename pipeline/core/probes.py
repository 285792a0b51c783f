"""What a policy does at chosen states of the multigoal task (SQL, Figure 1)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pipeline.core.job import Array

if TYPE_CHECKING:  # whoever only wants to know the states needs no torch
    from pipeline.core.agents import Agent

STATES: Final[npt.NDArray[np.float32]] = np.array(
    [(-2.0, 0.0), (0.0, 0.0), (2.5, 2.5)], np.float32
)
"""Positions in the plane, as in the paper; the released code has (-2.5, 0) first."""
DRAWS: Final = 500
"""Actions drawn at each state."""
GRID: Final[npt.NDArray[np.float32]] = np.linspace(-1, 1, 41, dtype=np.float32)
"""Coordinates along both action axes where Q is tabulated."""


def probe(agent: "Agent", seeds: Sequence[int]) -> dict[str, Array]:
    """Draw actions and tabulate Q at every state.

    Args:
        agent: Policies of the multigoal task.
        seeds: One per member.

    Returns:
        `probe_actions` [member, state, draw, 2]; of learners that have them,
        `probe_q` [member, state, x, y] in reward units and `temperature` [member].
    """
    import torch

    from pipeline.core.agents import QLearner
    from pipeline.core.randomness import stream

    members, states = len(seeds), len(STATES)

    def at_each_state(count: int) -> torch.Tensor:
        repeated = np.repeat(STATES, count, axis=0)
        return torch.from_numpy(np.tile(repeated, (members, 1, 1))).to(agent.device)

    noise = np.stack(
        [
            stream(seed, "probe").standard_normal((states * DRAWS, 2), dtype=np.float32)
            for seed in seeds
        ]
    )
    chosen = torch.from_numpy(noise).to(agent.device)
    drawn = agent.sample(at_each_state(DRAWS), chosen).cpu()
    probed: dict[str, Array] = {
        "probe_actions": drawn.reshape(members, states, DRAWS, 2).numpy()
    }
    if isinstance(agent, QLearner):
        plane = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2)
        action = torch.from_numpy(np.tile(plane, (members, states, 1)))
        q = agent.q(at_each_state(len(plane)), action.to(agent.device)).cpu()
        shape = (members, states, len(GRID), len(GRID))
        probed["probe_q"] = q.reshape(shape).numpy()
    if agent.temperature is not None:
        probed["temperature"] = agent.temperature.detach().cpu().numpy()
    return probed
