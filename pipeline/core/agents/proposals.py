"""Uniform actions from which soft values are estimated."""

import math
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

    def shifts_of(
        self, state: Float[Tensor, "member n state"], *, draw: int
    ) -> Float[Tensor, "member n shifted action"]:
        """What decides about the actions of any number of states.

        `draw` says which numbers of the stream `value table`.
        """
        drawn = [
            stream(seed, "value table", draw).random(
                (state.shape[1], *self._shape), dtype=np.float32
            )
            for seed in self._seeds
        ]
        return torch.from_numpy(np.stack(drawn)).to(state)

    def actions(
        self, shifts: Float[Tensor, "member n shifted action"]
    ) -> Float[Tensor, "member n particle action"]:
        """Actions in [-1, 1]^d."""
        return 2 * ((shifts + self._points) % 1) - 1

    @property
    def log_density(self) -> float:
        """Of each of them, in nats."""
        return -self._points.shape[-1] * math.log(2)
