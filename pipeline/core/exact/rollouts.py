"""Episodes of the soft-optimal policy of a task in the plane."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from pipeline.core.exact.box_policy import BoxPolicy

Advance: TypeAlias = Callable[
    [Float[ndarray, "n state"], Float[ndarray, "n 2"]],
    tuple[
        Float[ndarray, "n state"],
        Float[ndarray, " n"],
        Bool[ndarray, " n"],
    ],
]
"""The states after actions, the rewards, and whether the episodes end there."""


@dataclass(frozen=True)
class Episodes:
    """From a start to the end or the horizon."""

    returns: Float[ndarray, " episode"]
    """Undiscounted sums of rewards, in reward units."""
    lengths: Int[ndarray, " episode"]
    """Environment steps."""
    ended: Bool[ndarray, " episode"]
    """Whether the task ended it, not the horizon."""
    positions: Float[ndarray, "episode time 2"]
    """NaN after the end."""
    last: Float[ndarray, "episode 2"]


def roll_out(
    policy: BoxPolicy,
    start: Callable[[np.random.Generator], Float[ndarray, " state"]],
    advance: Advance,
    *,
    horizon: int,
    episodes: int,
    generator: np.random.Generator,
) -> Episodes:
    """Let the soft-optimal policy act, from drawn starts, for `horizon` steps.

    The first two numbers of a state are a position.
    """
    here = np.stack([start(generator) for _ in range(episodes)])
    alive, over = np.arange(episodes), np.zeros(episodes, dtype=bool)
    returns, lengths = np.zeros(episodes), np.zeros(episodes, dtype=np.int64)
    path = [here[:, :2]]
    for _ in range(horizon):
        noise = generator.standard_normal((episodes, 2))[alive]
        action = policy.act(here[alive], noise)
        there, reward, ended = advance(here[alive], action)
        returns[alive] += reward
        lengths[alive] += 1
        here, shown = here.copy(), np.full_like(here, np.nan)
        here[alive] = shown[alive] = there
        path.append(shown[:, :2])
        over[alive] = ended
        alive = alive[~ended]
        if not alive.size:
            break
    positions = np.stack(path, axis=1)
    return Episodes(returns, lengths, over, positions, here[:, :2])
