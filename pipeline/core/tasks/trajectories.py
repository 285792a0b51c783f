"""What an evaluation has seen: episodes of every member, and what is read off them."""

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
