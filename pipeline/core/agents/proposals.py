"""Actions from which soft values are estimated (SQL Eq. 10), and their densities.

Uniform ones are right for any Q, but the share of them that matters falls with every
dimension of an action, and the logarithm of a mean of few is too low: of Q/α = -8 ‖a -
m‖² in six dimensions by a nat or more with 50 of them. Those of the policy (`policy`,
as the paper prefers) are where exp(Q/α) is, once the sampler has learned it. They are
wrong where its map f from noise to actions is not one to one. With n(a) the number of ξ
that f takes to a, each counts with the density of its own sheet, and the mean tends to

    ∫ n(a) exp(Q(a)/α) da,   so that   V̂ - V → α log E_{a ~ exp(Q/α)} n(a).

- Folds, n > 1: too high, by at most α log max n.
- Holes, n = 0: too low, since what exp(Q/α) has there is not seen. A fresh sampler has
  none; one that has lost a mode has one.
- Bridges between modes are no error: f is stretched there, so that p is small, and so
  is exp(Q/α).
- Where p is much below exp(Q/α), a draw is rare and counts much: V̂ varies, and mostly
  is too low.

There is no share of uniform actions among them. It would bound what a draw counts only
if all counted with the density of the mixture (the balance heuristic), and p at a given
action needs every ξ that f takes there, which nobody knows. Each counted with its own
density would halve the errors above, and bring back those of uniform ones.
"""

import math
from collections.abc import Iterator
from typing import assert_never

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents import resampling
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.shapes import Particles, States
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.population.lattice import lattice
from pipeline.core.population.randomness import stream


class Proposals:
    """Uniform actions at every state, or the sampler's own: a shifted lattice of them.

    `random` are uniform and independent. The lattice of `policy` is one of noise.
    """

    def __init__(self, config: Sql, setting: Setting, sampler: SteinSampler) -> None:
        self._seeds = setting.seeds
        self._sampler = sampler if config.value_points == "policy" else None
        match config.value_points:
            case "lattice" | "policy":
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
        self, state: States, shifts: Float[Tensor, "member n shifted action"]
    ) -> tuple[Particles, Float[Tensor, "#member #n #particle"]]:
        """Actions in [-1, 1]^d and their log-densities, in nats."""
        uniform = (shifts + self._points) % 1
        if self._sampler is not None:
            noise = resampling.normal(uniform).to(uniform.dtype)
            return self._sampler.draw_with_density(state.unsqueeze(2), noise)
        log_density = -self._points.shape[-1] * math.log(2)
        return 2 * uniform - 1, shifts.new_full((1, 1, 1), log_density)
