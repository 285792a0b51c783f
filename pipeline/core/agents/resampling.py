"""Draws that are nearer to a target than what they are drawn from.

First by importance (Rubin 1987, "The SIR algorithm"): of M candidates ξ₁ … ξ_M, made
into actions aₘ of density p, one is taken with probability ∝ exp(Q(aₘ)/α) / p(aₘ). With
M = 1 that is a draw from p; as M grows it tends to one from exp(Q/α), if p is right.
Where the map from noise to actions folds, p is that of one sheet, and it is not.

Then by a step of a Markov chain that needs no p: of M actions around the one taken, one
is taken again, with probability ∝ exp(Q(aₘ)/α). The M are a coset of a group, so that
each of them would have been asked about the same ones, and the choice is a heat bath
(Gibbs sampling): exp(Q/α) stays as it is, and whatever else there was comes nearer, in
every divergence. So it cannot harm, whatever the map does.

Everything is a function of one normal number per action dimension, so that whoever
compares policies can give all of them the same noise.
"""

import math
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.core.population.lattice import cyclic_lattice, lattice

WIDTH = 0.5
"""Of the cells in which actions are moved, of a box that is 2 wide."""
FINER = {"candidate": 2**12, "cell": 2**12 * 1021, "neighbour": 2**12 * 1021**2}
"""Φ(ξ) times this, modulo 1, decides about that: uniform, and as good as independent of
where ξ is and of each other."""
EDGE = 1e-9
"""Smallest distance from 0 and 1 of a number whose normal quantile is asked for."""
LEAST_LOG_DET = -50.0
"""Stands for the logarithm of a volume that vanishes."""

Purpose: TypeAlias = Literal["candidate", "cell", "neighbour"]
"""What a random number decides."""


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
    return normal(uniform).to(noise.dtype)


def normal(uniform: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Normal numbers from uniform ones: Φ⁻¹, finite everywhere, in double precision."""
    quantile: Tensor = torch.special.ndtri(uniform.double().clamp(EDGE, 1 - EDGE))
    return quantile


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


def around(
    action: Float[Tensor, "*batch action"],
    noise: Float[Tensor, "*batch action"],
    count: int,
) -> Float[Tensor, "*batch count action"]:
    """An action of [-1, 1]^d and others that are near: the first is the action itself.

    The box, its ends joined, is cut into cells whose sides are `WIDTH`, from a place
    that the noise decides. Within its cell, its ends joined as well, the action is
    shifted by a lattice that is a group.
    """
    points = cyclic_lattice(count, action.shape[-1]).to(action)
    begin = digits(noise, "cell").to(action.dtype)
    place = (action + 1) / WIDTH + begin
    within = (place.frac().unsqueeze(-2) + points[1:]) % 1
    moved = WIDTH * ((place.floor() - begin).unsqueeze(-2) + within) % 2 - 1
    return torch.cat([action.unsqueeze(-2), moved], dim=-2)


def choose(
    log_weight: Float[Tensor, "*batch count"],
    noise: Float[Tensor, "*batch action"],
    purpose: Literal["candidate", "neighbour"],
) -> Int[Tensor, "*batch"]:
    """Index m with probability wₘ / Σ w, from log w up to a constant.

    The number that decides is that of the first axis, with the ξ ~ N(0, I) of `spread`.
    """
    decides = digits(noise[..., :1], purpose)
    reached: Tensor = torch.softmax(log_weight.double(), dim=-1).cumsum(dim=-1)
    return (reached <= decides).sum(dim=-1).clamp(max=log_weight.shape[-1] - 1)


def digits(
    noise: Float[Tensor, "*batch action"], purpose: Purpose
) -> Float[Tensor, "*batch action"]:
    """Uniform numbers on [0, 1): the finer digits of Φ(ξ), in double precision."""
    finer: Tensor = (torch.special.ndtr(noise.double()) * FINER[purpose]) % 1
    return finer
