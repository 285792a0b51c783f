"""What the actions of a rollout are credited with, as pure functions.

Time is the last axis. Rewards, returns and values are in reward units. A rollout goes
through several episodes: one that `terminated` is over and has no future; one that was
`cut`, by a time limit or by the end of the rollout, would have gone on.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def soft_reward(
    reward: Float[Tensor, "*batch time"],
    log_prob: Float[Tensor, "*batch time"],
    temperature: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*batch time"]:
    """What a step is worth when entropy is (Levine 2018, section 4.1).

        r(s, a) - α log π(a | s)

    The reward is in reward units, log π in nats, α in reward units per nat.
    """
    return reward - temperature.unsqueeze(-1) * log_prob


def reward_to_go(
    reward: Float[Tensor, "*batch time"],
    value_next: Float[Tensor, "*batch time"],
    *,
    terminated: Float[Tensor, "*batch time"],
    cut: Float[Tensor, "*batch time"],
    discount: float,
) -> Float[Tensor, "*batch time"]:
    """Discounted sum of what follows, the step's own reward included.

        Gₜ = rₜ + γ (1 - terminatedₜ) · (V(sₜ₊₁) if cutₜ else Gₜ₊₁)

    Args:
        reward: rₜ, soft or not, in reward units.
        value_next: V(sₜ₊₁), which stands for everything after a cut; zeros, where
            nothing can: then a cut counts as an end.
        terminated: 1 where an episode is over.
        cut: 1 where it was interrupted; the last step of a rollout has to be cut, or
            terminated.
        discount: γ in [0, 1), per environment step.
    """
    goes_on = discount * (1 - terminated)
    known = (reward + goes_on * cut * value_next).unbind(dim=-1)
    share = (goes_on * (1 - cut)).unbind(dim=-1)
    total, totals = torch.zeros_like(known[-1]), []
    for step in reversed(range(len(known))):
        total = known[step] + share[step] * total
        totals.append(total)
    return torch.stack(totals[::-1], dim=-1)


def reward_before(
    reward: Float[Tensor, "*batch time"], ended: Float[Tensor, "*batch time"]
) -> Float[Tensor, "*batch time"]:
    """Sum of what came before in the same episode, as far as the rollout goes back.

    It does not depend on the step's own action, so that its product with the score
    ∇ log π has the mean zero: a policy gradient with it has the same mean as one
    without, and (mostly) a larger variance. It is not discounted: that would be a
    matter of taste, and with γ = 1 this plus `reward_to_go` is the whole return.
    Rewards are soft or not; `ended` is 1 where an episode ended, whatever the reason.
    """
    total, totals = torch.zeros_like(reward[..., 0]), []
    same = (1 - ended).unbind(dim=-1)
    for step, own in enumerate(reward.unbind(dim=-1)):
        totals.append(total)
        total = same[step] * (total + own)
    return torch.stack(totals, dim=-1)
