"""The equations of maximum-entropy reinforcement learning, as pure functions.

Nothing here has state, parameters or randomness: tensors in, tensors out. Gradients
flow through every argument; callers stop them.

Notation. `r` reward, `γ` discount, `α` temperature, `π` policy. Rewards and values are
in reward units, entropies and log-densities in nats, hence α in reward units per nat. A
suffix `_next` marks the step after the transition. A temperature is given as a tensor
that broadcasts against the batch, because members of a population differ in it.

Papers.
  SQL       Haarnoja, Tang, Abbeel, Levine 2017, arXiv:1702.08165v2
  SAC 2018  Haarnoja, Zhou, Abbeel, Levine 2018, arXiv:1801.01290v2
  SAC 2019  Haarnoja, Zhou, Hartikainen et al. 2018, arXiv:1812.05905v2
  DDPG      Lillicrap et al. 2016, arXiv:1509.02971v6
  SVGD      Liu, Wang 2016, arXiv:1608.04471v3

`squashing.py` has the densities of bounded actions, `returns.py` sums of rewards.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def soft_value(
    q: Float[Tensor, "*batch particles"],
    log_proposal: Float[Tensor, "*#batch #particles"],
    temperature: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*batch"]:
    """Soft state value from sampled actions, in reward units (SQL Eq. 10).

        V(s) = α log E_{a ~ p} [ exp(Q(s, a) / α) / p(a | s) ]

    The expectation is a mean over `particles`; the log makes it a biased, consistent
    estimate from below (Jensen). As α → 0 it tends to the largest sampled Q.

    Args:
        q: Q(s, aₖ) of K sampled actions, in reward units.
        log_proposal: log p(aₖ | s) of the density they were drawn from, in nats.
        temperature: α > 0, in reward units per nat.
    """
    log_weights = q / temperature.unsqueeze(-1) - log_proposal
    count = math.log(q.shape[-1])
    return temperature * (torch.logsumexp(log_weights, dim=-1) - count)


def bellman_target(
    reward: Float[Tensor, "*batch"],
    value_next: Float[Tensor, "*batch"],
    terminated: Float[Tensor, "*batch"],
    discount: float,
) -> Float[Tensor, "*batch"]:
    """Target of the Bellman update (SQL Eq. 11; SAC 2018 Eq. 8; DDPG Eq. 5).

        y = r + γ (1 - terminated) V(s')

    All of it is in reward units.

    Args:
        value_next: V(s'), soft or hard, as the algorithm has it.
        terminated: 1 where s' is terminal. A time limit is *not* terminal: pass 0
            there, or the value of the last state is lost.
        discount: γ in [0, 1), per environment step.
    """
    return reward + discount * (1 - terminated) * value_next


def squared_error(
    prediction: Float[Tensor, "*batch n"], target: Float[Tensor, "*#batch n"]
) -> Float[Tensor, "*batch"]:
    """Half the mean squared error over the last axis (SQL Eq. 11; SAC 2018 Eq. 7)."""
    return 0.5 * (prediction - target).square().mean(dim=-1)


def kernel_bandwidth(
    squared_distances: Float[Tensor, "*batch fixed updated"],
) -> Float[Tensor, "*batch"]:
    """Bandwidth by the median heuristic (SVGD section 5; SQL appendix D).

        h = max( median ‖aᵢ - a'ⱼ‖² / log K, 10⁻³ )

    The (lower) median of *squared* distances over the log of the number K >= 2 of fixed
    particles, as the authors' code has it; the text of the paper says otherwise. h > 0
    is in squared units of the particles.
    """
    fixed = squared_distances.shape[-2]
    median = squared_distances.flatten(start_dim=-2).median(dim=-1).values
    return (median / math.log(fixed)).clamp(min=1e-3)


def stein_direction(
    fixed: Float[Tensor, "*batch fixed dims"],
    updated: Float[Tensor, "*batch updated dims"],
    gradient: Float[Tensor, "*batch fixed dims"],
    temperature: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*batch updated dims"]:
    """Steepest descent of the KL to the energy-based policy (SQL Eq. 13).

        Δf(j) = E_i [ κ(aᵢ, a'ⱼ) ∇Q(aᵢ) + α ∇_{aᵢ} κ(aᵢ, a'ⱼ) ],
        κ(a, a') = exp(-‖a - a'‖² / h)

    The target density is exp(Q/α) with respect to the volume of the space in which
    the particles live. Squashed particles live in the space of u = tanh⁻¹(a): there,
    Q must include the change of volume, α log |det da/du|.

    The expectation runs over the fixed aᵢ; the updated a'ⱼ are to be moved. ∇Q(aᵢ) and
    Δf are in reward units per unit of the particles, α in reward units per nat.
    """
    difference = fixed.unsqueeze(-2) - updated.unsqueeze(-3)  # [*batch, i, j, dims]
    distances = difference.square().sum(dim=-1)
    bandwidth = kernel_bandwidth(distances)[..., None, None]
    kernel = torch.exp(-distances / bandwidth)
    attraction = kernel.transpose(-1, -2) @ gradient
    weight = (-2 * kernel / bandwidth).unsqueeze(-1)
    repulsion = (weight * difference).sum(dim=-3)
    alpha = temperature[..., None, None]
    return (attraction + alpha * repulsion) / fixed.shape[-2]


def actor_loss(
    log_prob: Float[Tensor, "*batch n"],
    q: Float[Tensor, "*batch n"],
    temperature: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*batch"]:
    """KL of the policy to exp(Q/α), up to a constant (SAC 2018 Eq. 12; 2019 Eq. 9).

        J_π = E [ α log π(a | s) - Q(s, a) ],   a reparameterised

    The mean over the last axis. It and Q are in reward units, log π in nats, α in
    reward units per nat.
    """
    return (temperature.unsqueeze(-1) * log_prob - q).mean(dim=-1)


def temperature_loss(
    log_temperature: Float[Tensor, "*batch"],
    entropy: Float[Tensor, "*batch"],
    target_entropy: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    """Dual of the entropy constraint (SAC 2019 Eq. 18), descended in log α.

        J(α) = log α · (H - H̄)

    The paper has α where this has log α: the same fixed point H = H̄, another step. H
    is the policy's entropy as sampled, H̄ its target, both in nats.
    """
    return log_temperature * (entropy - target_entropy)


def polyak_average(
    target: Float[Tensor, "*shape"], source: Float[Tensor, "*shape"], rate: float
) -> Float[Tensor, "*shape"]:
    """Exponentially averaged weights (DDPG algorithm 1).

    θ̄' = θ̄ + τ (θ - θ̄)
    """
    return target.lerp(source, rate)


def ornstein_uhlenbeck_step(
    x: Float[Tensor, "*batch"],
    noise: Float[Tensor, "*batch"],
    theta: float,
    sigma: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*batch"]:
    """One step of the Ornstein–Uhlenbeck process around 0 (DDPG section 7).

    x' = x - θ x + σ ε
    """
    return x - theta * x + sigma * noise
