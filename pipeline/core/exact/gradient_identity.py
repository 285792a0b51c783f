"""Policy gradients are soft Q-learning: one gradient, seen from two sides.

Parametrise Q = V + α log π, let actions be drawn from π and let y be any target. Then

    ∇ ½ E (Q - y)²  =  -α ∇ E_π [ y - α log π ]  +  ∇ ½ (V - V̂)²,
    V̂(s) = E_π [ y - α log π ]  held fixed

so that a step of soft Q-learning is a step of the entropy-regularised policy gradient
and a step of its value function towards what it predicts. On the left, neither y nor
the distribution of the actions is differentiated. Proof: ∇Q = ∇V + α ∇ log π and
E_π ∇ log π = 0.

Schulman, Chen, Abbeel 2017, arXiv:1704.06440; Levine 2018, arXiv:1805.00909v3.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from pipeline.core.exact import policy_gradient
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.trajectories import Problem, every_path
from pipeline.core.population.networks import Mlp


def sides(
    value: Float[Tensor, " state"],
    log_policy: Float[Tensor, "state action"],
    *,
    target: Float[Tensor, "state action"],
    weight: Float[Tensor, " state"],
    temperature: float,
    parameters: Tensor | Sequence[Tensor],
) -> dict[str, Float[ndarray, " parameter"]]:
    """Both sides of the identity, with every expectation as a sum.

    Args:
        value: V(s), in reward units, differentiable in `parameters`.
        log_policy: log π(a | s), in nats, likewise.
        target: y(s, a), in reward units; a constant.
        weight: How much each state counts.
        temperature: α, in reward units per nat.
        parameters: What V and π are made of, in common or not.

    Returns:
        Gradients in all parameters, one after the other, in squared reward units but
        for the second: `soft_q`, the left side; `policy`, the gradient of
        E_π [y - α log π], in reward units; `value`, that of ½ (V - V̂)²; `both`,
        -α `policy` + `value`, the right side.
    """
    leaves = [parameters] if isinstance(parameters, Tensor) else list(parameters)

    def gradient(scalar: Tensor) -> Float[ndarray, " parameter"]:
        parts = torch.autograd.grad(
            scalar, leaves, retain_graph=True, materialize_grads=True
        )
        return torch.cat([part.flatten() for part in parts]).numpy()

    drawn = log_policy.exp().detach()
    q = value[:, None] + temperature * log_policy
    soft_q = weight @ (drawn * 0.5 * (q - target).square()).sum(dim=-1)
    soft = (log_policy.exp() * (target - temperature * log_policy)).sum(dim=-1)
    fit = weight @ (0.5 * (value - soft.detach()).square())
    policy, own = gradient(weight @ soft), gradient(fit)
    return {
        "soft_q": gradient(soft_q),
        "policy": policy,
        "value": own,
        "both": -temperature * policy + own,
    }


def on_a_table(
    generator: np.random.Generator, *, states: int, actions: int, temperature: float
) -> dict[str, Float[ndarray, " parameter"]]:
    """`sides` for random V, logits, targets and weights of the states.

    Parameters are V, then the logits.
    """
    value = torch.tensor(generator.normal(size=states), requires_grad=True)
    logits = torch.tensor(generator.normal(size=(states, actions)), requires_grad=True)
    return sides(
        value,
        torch.log_softmax(logits, dim=-1),
        target=torch.tensor(generator.normal(size=(states, actions))),
        weight=torch.tensor(generator.dirichlet(np.ones(states))),
        temperature=temperature,
        parameters=[value, logits],
    )


def on_a_network(
    generator: np.random.Generator,
    *,
    states: int,
    actions: int,
    hidden: tuple[int, ...],
    temperature: float,
) -> dict[str, Float[ndarray, " parameter"]]:
    """`sides` for one random network with the outputs V and logits.

    The hidden layers are shared: their weights get both parts of the gradient. States
    have three numbers each and count alike.
    """
    network = Mlp((3,), hidden, 1 + actions)
    weights = torch.tensor(
        generator.normal(size=(1, network.size), scale=0.5), requires_grad=True
    )
    state = torch.tensor(generator.normal(size=(1, states, 1, 3)))
    out = network(weights, state)[0, :, 0]
    return sides(
        out[:, 0],
        torch.log_softmax(out[:, 1:], dim=-1),
        target=torch.tensor(generator.normal(size=(states, actions))),
        weight=torch.full((states,), 1 / states, dtype=torch.float64),
        temperature=temperature,
        parameters=weights,
    )


def variance_by_horizon(
    mdp: Mdp,
    start: Float[ndarray, " state"],
    *,
    temperature: float,
    horizons: Sequence[int],
    generator: np.random.Generator,
) -> dict[str, Float[ndarray, " horizon"]]:
    """How much REINFORCE's estimate from one episode varies, as episodes get longer.

    Exact: every trajectory is counted. The policy has random logits ~ N(0, 1).

    Returns:
        `horizon`, and traces of the covariance in squared reward units:
        `whole_return` and `reward_to_go` without a baseline, `value_baseline` and
        `least_variance_baseline` for the reward-to-go less V_t(s), or less the
        baseline that is best for it; and `gradient`, ‖∇J‖², which they all estimate.
    """
    longest = generator.normal(size=(max(horizons), *mdp.reward.shape))
    rows = []
    for horizon in horizons:
        problem = Problem(mdp, start, horizon=horizon, temperature=temperature)
        rows.append(
            {"horizon": float(horizon)} | _variances(problem, longest[:horizon])
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _variances(
    problem: Problem, logits: Float[ndarray, "time state action"]
) -> dict[str, float]:
    paths = every_path(problem, logits)
    value, _ = policy_gradient.value_and_q(problem, torch.tensor(logits))
    least = policy_gradient.least_variance_baseline(problem, logits)
    none = np.zeros_like(least)
    cases: dict[str, tuple[policy_gradient.Credit, Float[ndarray, "time state"]]] = {
        "whole_return": ("whole_return", none),
        "reward_to_go": ("reward_to_go", none),
        "value_baseline": ("reward_to_go", value.numpy()),
        "least_variance_baseline": ("reward_to_go", least),
    }
    found = {
        name: policy_gradient.variance(
            policy_gradient.estimates(
                problem, logits, paths, credit=credit, baseline=baseline
            ),
            paths,
        )
        for name, (credit, baseline) in cases.items()
    }
    _, gradient = policy_gradient.objective(problem, logits)
    return found | {"gradient": float(np.square(gradient).sum())}
