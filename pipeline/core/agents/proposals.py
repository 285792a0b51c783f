"""Uniform actions from which soft values are estimated."""

import math
from collections.abc import Iterator
from typing import assert_never

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.population.lattice import lattice
from pipeline.core.population.randomness import stream


class Proposals:
    """Actions of density 2⁻ᵈ at every state: a shifted lattice, or independent ones."""

    def __init__(self, config: Sql, setting: Setting) -> None:
        self._seeds = setting.seeds
        match config.value_points:
            case "lattice":
                points = lattice(config.value_particles, setting.actions)
                shifted = 1
            case "random":
                points = torch.zeros(1, setting.actions)
                shifted = config.value_particles
            case _:
                assert_never(config.value_points)
        self._points = points.to(setting.computation.device)
        self._shape = shifted, setting.actions
        self.shifts = setting.noise(
            "value particles", config.batch, *self._shape, kind="uniform"
        )
        """What decides about the actions of a batch, by the number of the update."""

    def blocks_of_shifts(
        self, size: int, *, draw: int
    ) -> Iterator[Float[Tensor, "member block shifted action"]]:
        """What decides about the actions of any number of states, `size` at a time.

        `draw` says which numbers of the stream `value table`.
        """
        streams = [stream(seed, "value table", draw) for seed in self._seeds]
        shape = size, *self._shape
        while True:
            drawn = [each.random(shape, dtype=np.float32) for each in streams]
            yield torch.from_numpy(np.stack(drawn)).to(self._points)

    def actions(
        self, shifts: Float[Tensor, "member n shifted action"]
    ) -> Float[Tensor, "member n particle action"]:
        """Actions in [-1, 1]^d."""
        return 2 * ((shifts + self._points) % 1) - 1

    @property
    def log_density(self) -> float:
        """Of each of them, in nats."""
        return -self._points.shape[-1] * math.log(2)
