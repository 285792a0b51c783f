"""Noise from a fixed set of vectors, of which ever fewer are left (SQL appendix D).

A sampler that is given one vector only gives one action in every state. With every
particle at one place the kernel of the Stein update is 1 and its repulsion 0, and what
is left is ascent: in u, with a = tanh(u), towards a mode of

    Q(s, tanh u) + α log |det da/du|,

which tends to one of Q as α → 0. The sampler learns with the vectors that it acts with:
what it does with others is of no use any more, and would take its place in the network.

Soft values are those of Q, not of the set: their proposals come from all noise.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.setting import Setting
from pipeline.core.config.learner import NoiseSet
from pipeline.core.population.randomness import stream


class RestrictedNoise:
    """Normal noise, replaced by vectors of a set: each member's own, N(0, I) as well.

    The set is a function of the member's seed, on every device: whoever loads a policy
    has the one that it was trained with.
    """

    def __init__(self, config: NoiseSet, setting: Setting) -> None:
        self._config = config
        shape = config.size, setting.actions
        drawn = [
            stream(seed, "noise set").standard_normal(shape, dtype=np.float32)
            for seed in setting.seeds
        ]
        device = setting.computation.device
        vectors = torch.from_numpy(np.stack(drawn))
        self._vectors = vectors.to(device, torch.get_default_dtype())
        self._left = torch.tensor(config.size, dtype=torch.float64, device=device)
        """Changed in place, because programs have it as an input."""

    def follow(self, progress: float) -> None:
        """Leave as many as belong to a share of the run's updates."""
        self._left.fill_(left(self._config, progress))

    def of(
        self, noise: Float[Tensor, "member *batch action"]
    ) -> Float[Tensor, "member *batch action"]:
        """For every ξ ~ N(0, I) one of the vectors that are left, all alike likely.

        The first number of ξ decides.
        """
        uniform = torch.special.ndtr(noise[..., 0].double()).flatten(start_dim=1)
        index = torch.minimum(uniform * self._left, self._left - 1).long()
        return self._vectors.take_along_dim(index.unsqueeze(-1), dim=1).view_as(noise)


def left(config: NoiseSet, progress: float) -> int:
    """How many vectors may be used after a share of the run's updates.

    The whole set at first, then one less in equal times, one from `share` on.
    """
    return max(1, math.ceil(config.size * (1 - progress / config.share)))
