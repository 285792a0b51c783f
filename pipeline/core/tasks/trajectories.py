"""What an evaluation has seen: episodes of every member, and what is read off them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Trajectories:
    """Episodes of every member, from a seeded start to their end or time limit."""

    returns: Float[ndarray, "member episode"]
    """Undiscounted sums of rewards."""
    lengths: Int[ndarray, "member episode"]
    terminated: Bool[ndarray, "member episode"]
    positions: Float[ndarray, "member episode time 2"] | None
    """In a task that has a plane; NaN after the end."""

    @property
    def last_positions(self) -> Float[ndarray, "member episode 2"]:
        """Where each episode ended."""
        assert self.positions is not None
        index = self.lengths[:, :, None, None]
        return np.take_along_axis(self.positions, index, axis=2).squeeze(2)


def joined(parts: Sequence[Trajectories]) -> Trajectories:
    """Further episodes of the same members, as if all had been seen together."""
    returns, lengths, terminated = (
        np.concatenate([getattr(part, name) for part in parts], axis=1)
        for name in ("returns", "lengths", "terminated")
    )
    if parts[0].positions is None:
        return Trajectories(returns, lengths, terminated, None)
    path = np.full((*lengths.shape, lengths.max() + 1, 2), np.nan)
    first = 0
    for part in parts:
        assert part.positions is not None
        _, episodes, times, _ = part.positions.shape
        path[:, first : first + episodes, :times] = part.positions
        first += episodes
    return Trajectories(returns, lengths, terminated, path)
