"""Draws that are nearer to a target than what they are drawn from.

Importance resampling (Rubin 1987, "The SIR algorithm"): of M candidates ξ₁ … ξ_M, made
into actions aₘ of density p, one is taken with probability ∝ exp(Q(aₘ)/α) / p(aₘ). With
M = 1 that is a draw from p; as M grows it tends to one from exp(Q/α).

Everything is a function of one normal number per action dimension, so that whoever
compares policies can give all of them the same noise.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.core.population.lattice import lattice

FINER = 4096
"""Φ(ξ) times this, modulo 1: uniform, and as good as independent of where ξ is."""
EDGE = 1e-9
"""Smallest distance from 0 and 1 of a number whose normal quantile is asked for."""
LEAST_LOG_DET = -50.0
"""Stands for the logarithm of a volume that vanishes."""


def spread(
    noise: Float[Tensor, "*batch action"], count: int
) -> Float[Tensor, "*batch count action"]:
    """More normal numbers from those given: ξₘ = Φ⁻¹((Φ(ξ) + xₘ) mod 1).

    The M = `count` numbers xₘ are a lattice in the unit cube that begins at 0. Each ξₘ
    is normal if ξ ~ N(0, I) is, the first is ξ, and together they cover the space more
    evenly than independent ones.
    """
    points = lattice(count, noise.shape[-1]).to(noise.device).double()
    uniform = (torch.special.ndtr(noise.double()).unsqueeze(-2) + points) % 1
    spread: Tensor = torch.special.ndtri(uniform.clamp(EDGE, 1 - EDGE))
    return spread.to(noise.dtype)


def log_density_of_map(
    noise: Float[Tensor, "*batch action"], moved: Float[Tensor, "*batch action"]
) -> Float[Tensor, "*batch"]:
    """Log-density of u = f(ξ), ξ ~ N(0, I), in nats, by the change of variables.

        log p(u) = log N(ξ; 0, I) - log |det du/dξ|

    Where f folds the space, so that several ξ have the same u, this is the share of one
    of them, and too low. ξ (`noise`) requires gradients; u (`moved`) is computed from
    it element by element of the batch.
    """
    dims = noise.shape[-1]
    rows = [
        torch.autograd.grad(moved[..., row].sum(), noise, retain_graph=row < dims - 1)
        for row in range(dims)
    ]
    jacobian = torch.stack([row for (row,) in rows], dim=-2)
    volume: Tensor = torch.linalg.slogdet(jacobian).logabsdet.clamp(min=LEAST_LOG_DET)
    xi = noise.detach()
    normal = -0.5 * xi.square().sum(dim=-1) - 0.5 * dims * math.log(2 * math.pi)
    return normal - volume


def choose(
    log_weight: Float[Tensor, "*batch count"], noise: Float[Tensor, "*batch action"]
) -> Int[Tensor, "*batch"]:
    """Index m with probability wₘ / Σ w, from log w up to a constant.

    The uniform number that decides are the finer digits of Φ(ξ) along the first axis,
    with the ξ ~ N(0, I) of `spread`: where ξ is does not say what they are.
    """
    decides: Tensor = (torch.special.ndtr(noise[..., :1].double()) * FINER) % 1
    reached: Tensor = torch.softmax(log_weight.double(), dim=-1).cumsum(dim=-1)
    return (reached <= decides).sum(dim=-1).clamp(max=log_weight.shape[-1] - 1)
