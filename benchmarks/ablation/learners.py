"""What stands in for parts of soft Q-learning in `variants.py`."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.equations import soft, squashing
from pipeline.core.memory.replay import Batch
from pipeline.core.population.optimizer import learnable

AVERAGE_RATE = 0.002
"""Of the weights' running average, per update."""
NARROWEST = 0.05
"""Smallest standard deviation of proposals that a kernel width is made from."""
EDGE = 1 - 1e-6
"""Largest |a| whose number before the squashing is asked for."""


class LowerOfCritics(SoftQLearning):
    """The lower of two critics, in the target and in the sampler (SAC 2018)."""

    def _combined(self, q: Tensor) -> Tensor:
        return q.amin(dim=1)


class AveragedWeights(SoftQLearning):
    """Judged with running averages of its weights; training never looks at them."""

    def __init__(self, configs: Sequence[Sql], setting: Setting) -> None:
        super().__init__(configs, setting)
        own = self.networks()
        self._averages = {name: own[name].clone() for name in ("q", "policy")}

    def update(self, batch: Batch, *, index: int) -> None:
        """As without averages; they follow, at first as a plain mean."""
        super().update(batch, index=index)
        rate = max(AVERAGE_RATE, 1 / (index + 1))
        for name, average in self._averages.items():
            average.lerp_(self.networks()[name], rate)

    def settle(self) -> None:
        """Put the averages in the place of the weights, once training is over."""
        for name, average in self._averages.items():
            self.networks()[name].copy_(average)


class KernelProposals(SoftQLearning):
    """Half of the soft value's actions are uniform, half around the sampler's own.

    All count with the density of the whole mixture, which is exact whatever the sampler
    does: its draws are only the centres of the kernels.
    """

    def __init__(self, configs: Sequence[Sql], setting: Setting) -> None:
        super().__init__(configs, setting)
        self._generator = torch.Generator().manual_seed(setting.seeds[0])

    @torch.no_grad()
    def _estimate(self, state: Tensor, shifts: Tensor, temperature: Tensor) -> Tensor:
        uniform, _ = self._proposals.actions(state, shifts)
        state = state.unsqueeze(2)
        origins, offsets = torch.randn(
            2, *uniform.shape, generator=self._generator, dtype=uniform.dtype
        )
        centre = torch.atanh(self._sampler.draw(state, origins).clamp(-EDGE, EDGE))
        width = kernel_width(centre)
        near = centre + width * offsets
        u = torch.cat([torch.atanh(uniform.clamp(-EDGE, EDGE)), near], dim=2)
        q = self._combined(self._critics(self._q_target, state, torch.tanh(u)))
        log_density = mixture_log_density(u, centre, width)
        return soft.soft_value(q, log_density, temperature[:, None])


def kernel_width(
    centre: Float[Tensor, "*batch centre dims"],
) -> Float[Tensor, "*batch 1 dims"]:
    """Standard deviation of the kernels, by Scott's rule σ m^(-1/(d+4))."""
    count, dims = centre.shape[-2:]
    spread = centre.std(dim=-2, keepdim=True).clamp(min=NARROWEST)
    return spread * math.pow(count, -1 / (dims + 4))


def mixture_log_density(
    u: Float[Tensor, "*batch particles dims"],
    centre: Float[Tensor, "*batch centre dims"],
    width: Float[Tensor, "*batch 1 dims"],
) -> Float[Tensor, "*batch particles"]:
    """Log-density of a = tanh(u), half uniform and half of Gaussians in u, in nats.

    Args:
        u: Where it is asked for, before the squashing.
        centre: Means of the Gaussians.
        width: Their standard deviation, the same for all.
    """
    dims = u.shape[-1]
    z = (u.unsqueeze(-2) - centre.unsqueeze(-3)) / width.unsqueeze(-3)
    log_sum = torch.logsumexp(-0.5 * z.square().sum(dim=-1), dim=-1)
    scale = width.log().sum(dim=-1) + 0.5 * dims * math.log(2 * math.pi)
    kernels = log_sum - math.log(centre.shape[-2]) - scale
    uniform = torch.full_like(kernels, -dims * math.log(2))
    squashed = kernels - squashing.squash_log_det(u)
    return torch.logaddexp(uniform, squashed) - math.log(2)


class ActionSpaceSampler(SteinSampler):
    """Particles are actions, and so is the change of volume: as the authors' code."""

    def _action(self, particles: Tensor) -> Tensor:
        return particles

    def _log_volume(self, particles: Tensor) -> Tensor:
        return particles.new_zeros(particles.shape[:-1])

    def _particles(self, weights: Tensor, state: Tensor, noise: Tensor) -> Tensor:
        return torch.tanh(super()._particles(weights, state, noise))

    def _slope(
        self, particles: Tensor, q: Callable[[Tensor], Tensor], temperature: Tensor
    ) -> Tensor:
        action = learnable(particles)
        volume = torch.log(1 - action.square() + 1e-6).sum(dim=-1)
        energy = q(action) + temperature[:, None, None] * volume
        (slope,) = torch.autograd.grad(energy.sum(), action)
        return slope


class PlainStartSampler(SteinSampler):
    """The network's output is the particle, from ordinary initial weights."""

    def __init__(self, configs: Sequence[Sql], setting: Setting) -> None:
        super().__init__(configs, setting)
        self.weights.copy_(self._network.glorot(setting.seeds, "policy"))

    def _particles(self, weights: Tensor, state: Tensor, noise: Tensor) -> Tensor:
        return self._network(weights, state, noise)


def upper_median_bandwidth(
    squared_distances: Float[Tensor, "*batch fixed updated"],
) -> Float[Tensor, "*batch"]:
    """As the default, with the upper of the two middle distances."""
    fixed = squared_distances.shape[-2]
    ordered = squared_distances.flatten(start_dim=-2).sort(dim=-1).values
    median = ordered[..., ordered.shape[-1] // 2]
    return (median / math.log(fixed)).clamp(min=1e-3)


def narrow_bandwidth(
    squared_distances: Float[Tensor, "*batch fixed updated"],
) -> Float[Tensor, "*batch"]:
    """A tenth of the default's: the median distance is one between modes."""
    fixed = squared_distances.shape[-2]
    median = squared_distances.flatten(start_dim=-2).median(dim=-1).values
    return (0.1 * median / math.log(fixed)).clamp(min=1e-3)


def paper_bandwidth(
    squared_distances: Float[Tensor, "*batch fixed updated"],
) -> Float[Tensor, "*batch"]:
    """As the text of the paper: median distance / (2 log(M + 1)) (SQL appendix D).

    M is the number of updated particles; the distances are those to the fixed ones.
    """
    updated = squared_distances.shape[-1]
    median = squared_distances.flatten(start_dim=-2).median(dim=-1).values
    return (median.sqrt() / (2 * math.log(updated + 1))).clamp(min=1e-3)


def no_table(*_: object, **__: object) -> None:
    """Look nothing up: every batch has its values computed."""
