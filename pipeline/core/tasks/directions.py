"""Into how many directions the episodes of a policy go."""

import math
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

SECTORS: Final = 8
"""Directions that are told apart; the first is centred on the x axis."""
MOVED: Final = 1.0
"""Distance from its start at which an episode must end to have a direction."""


def direction_spread(
    moved: Float[ndarray, "member episode 2"],
) -> Float[ndarray, " member"]:
    """Entropy of the sector in which episodes end, over that of even sectors.

    Times the share of episodes that end at least `MOVED` from their start: 0 for a
    policy that goes one way or hardly moves, 1 for one that goes every way alike.

    Args:
        moved: From the start of each episode to its end, in units of length.
    """
    angle = np.arctan2(moved[..., 1], moved[..., 0])
    sector = np.rint(angle / (2 * np.pi / SECTORS)).astype(int) % SECTORS
    far = np.linalg.norm(moved, axis=-1) >= MOVED
    counts = (far[..., None] & (sector[..., None] == np.arange(SECTORS))).sum(axis=1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    log_share = np.log(share, where=share > 0, out=np.zeros_like(share))
    entropy = (0.0 - (share * log_share).sum(axis=1)) / math.log(SECTORS)
    return np.asarray(entropy * far.mean(axis=1))
