"""Episodes of the soft-optimal policy of a task in the plane, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from pipeline.core.exact.grid import GridOracle


@dataclass(frozen=True)
class Episodes:
    """From a start to the end or the horizon."""

    returns: Float[ndarray, " episode"]
    """Undiscounted sums of rewards, in reward units."""
    lengths: Int[ndarray, " episode"]
    """Environment steps."""
    positions: Float[ndarray, "episode time 2"]
    """NaN after the end."""
    last: Float[ndarray, "episode 2"]


def roll_out(
    oracle: GridOracle,
    start: Callable[[np.random.Generator], Float[ndarray, " 2"]],
    *,
    horizon: int,
    episodes: int,
    generator: np.random.Generator,
) -> Episodes:
    """Let the soft-optimal policy act, from drawn starts, for `horizon` steps."""
    here = np.stack([start(generator) for _ in range(episodes)])
    alive = np.arange(episodes)
    returns, lengths = np.zeros(episodes), np.zeros(episodes, dtype=np.int64)
    path = [here]
    for _ in range(horizon):
        noise = generator.standard_normal((episodes, 2))[alive]
        action = oracle.act(here[alive], noise)
        there, reward, ended = oracle.plane.advance(here[alive], action)
        returns[alive] += reward
        lengths[alive] += 1
        here, shown = here.copy(), np.full_like(here, np.nan)
        here[alive] = shown[alive] = there
        path.append(shown)
        alive = alive[~ended]
        if not alive.size:
            break
    return Episodes(returns, lengths, np.stack(path, axis=1), here)
