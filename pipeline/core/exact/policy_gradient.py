"""The soft policy gradient on tables: exactly, and by REINFORCE in all its forms.

An episode makes `horizon` steps in a Markov decision process. The policy is a softmax
of logits θ[t, s, a], one table for each step, so that

    J(θ) = E Σₜ γᵗ ( rₜ + α H(π_t(· | sₜ)) )        (0 once a terminal state is entered)

can be differentiated directly, and every trajectory can be written down: what an
estimator does on average, and how much it varies, are finite sums, not experiments.

The estimators weigh the score ∇ log π_t(aₜ | sₜ) of each step with what is credited to
it, made of the soft rewards xₜ = γᵗ (rₜ - α log π_t(aₜ | sₜ)):
`whole_return` Σₖ xₖ, or `reward_to_go` Σₖ₌ₜ xₖ; less a baseline b[t, s].
All have the mean ∇J, because E ∇ log π = 0: for the same reason the term -α that the
entropy's own gradient adds to each weight has no effect on the mean.

Sources.
  Williams 1992, REINFORCE and baselines
  Greensmith, Bartlett, Baxter 2004, the baseline of least variance
  Levine 2018, arXiv:1805.00909v3, section 4.1, the entropy in the return
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from pipeline.core.exact.trajectories import Paths, Problem, log_policy_of

Credit = Literal["whole_return", "reward_to_go"]


def value_and_q(
    problem: Problem, logits: Float[Tensor, "time state action"]
) -> tuple[Float[Tensor, "time state"], Float[Tensor, "time state action"]]:
    """Soft values and soft Q of the policy at every step, by backward recursion.

        Q_t(s, a) = r(s, a) + γ E V_{t+1}(s'),   V_t(s) = E_π [ Q_t - α log π_t ]

    Both are of an episode from step t on, not discounted to its start. The entropy of
    step t counts in V_t, not in Q_t.

    Returns:
        V [time, state] and Q [time, state, action], in reward units, differentiable in
        the logits; 0 in terminal states.
    """
    mdp = problem.mdp
    transition, reward = torch.tensor(mdp.transition), torch.tensor(mdp.reward)
    alive = torch.tensor(~mdp.terminal, dtype=torch.float64)
    log_policy = torch.log_softmax(logits, dim=-1)
    value = torch.zeros(len(alive), dtype=torch.float64)
    values, qs = [], []
    for step in reversed(range(problem.horizon)):
        q = reward + mdp.discount * transition @ value
        soft = q - problem.temperature * log_policy[step]
        value = alive * (log_policy[step].exp() * soft).sum(dim=-1)
        values.append(value)
        qs.append(alive[:, None] * q)
    return torch.stack(values[::-1]), torch.stack(qs[::-1])


def objective(
    problem: Problem, logits: Float[ndarray, "time state action"]
) -> tuple[float, Float[ndarray, "time state action"]]:
    """J and its exact gradient, by differentiating the recursion.

    Returns:
        J in reward units, and ∇J in reward units per unit of the logits.
    """
    leaf = torch.tensor(logits, requires_grad=True)
    value, _ = value_and_q(problem, leaf)
    total = torch.tensor(problem.start) @ value[0]
    (gradient,) = torch.autograd.grad(total, leaf)
    return float(total.detach()), gradient.numpy()


def soft_rewards(
    problem: Problem, logits: Float[ndarray, "time state action"], paths: Paths
) -> Float[ndarray, "path time"]:
    """γᵗ (rₜ - α log π_t(aₜ | sₜ)) of every step; 0 after the end."""
    mdp, steps = problem.mdp, np.arange(problem.horizon)
    log_prob = log_policy_of(logits)[steps, paths.states, paths.actions]
    reward = mdp.reward[paths.states, paths.actions] - problem.temperature * log_prob
    alive = ~mdp.terminal[paths.states]
    return np.asarray(mdp.discount**steps * alive * reward)


def scores(
    problem: Problem, logits: Float[ndarray, "time state action"], paths: Paths
) -> Float[ndarray, "path time action"]:
    """∇ log π_t(aₜ | sₜ): its part at the state that was visited, the others are 0.

    1[a = aₜ] - π_t(a | sₜ); 0 after the end.
    """
    policy = np.exp(log_policy_of(logits))
    visited = policy[np.arange(problem.horizon), paths.states]
    taken = np.eye(policy.shape[-1])[paths.actions]
    alive = ~problem.mdp.terminal[paths.states]
    return np.asarray(alive[..., None] * (taken - visited))


def estimates(
    problem: Problem,
    logits: Float[ndarray, "time state action"],
    paths: Paths,
    *,
    credit: Credit,
    baseline: Float[ndarray, "time state"],
) -> Float[ndarray, "path time state action"]:
    """REINFORCE's estimate of ∇J from each single episode.

    The paths are of the policy with these logits. The baseline b[t, s] is in reward
    units, as seen at step t, and is discounted to the start here; zeros: none.
    """
    steps = np.arange(problem.horizon)
    reward = soft_rewards(problem, logits, paths)
    total = reward[:, ::-1].cumsum(axis=1)[:, ::-1]
    if credit == "whole_return":
        total = np.broadcast_to(total[:, :1], total.shape)
    credited = total - problem.mdp.discount**steps * baseline[steps, paths.states]
    weighed = credited[..., None] * scores(problem, logits, paths)
    return at_visited(weighed, paths, states=len(problem.start))


def at_visited(
    values: Float[ndarray, "path time action"], paths: Paths, *, states: int
) -> Float[ndarray, "path time state action"]:
    """What belongs to the visited states in a table of all states, else 0."""
    visited = np.eye(states)[paths.states]
    return np.asarray(visited[..., None] * values[:, :, None])


def mean(
    estimate: Float[ndarray, "path time state action"], paths: Paths
) -> Float[ndarray, "time state action"]:
    """The weighted mean over all paths, which is exact."""
    return np.asarray(np.tensordot(paths.weight, estimate, axes=1))


def variance(estimate: Float[ndarray, "path time state action"], paths: Paths) -> float:
    """The trace of the covariance of one path's estimate."""
    off = estimate - mean(estimate, paths)
    squares = np.square(off).reshape(len(off), -1).sum(axis=1)
    return float(paths.weight @ squares)


def least_variance_baseline(
    problem: Problem, logits: Float[ndarray, "time state action"]
) -> Float[ndarray, "time state"]:
    """The baseline with which `reward_to_go` varies least.

        b_t(s) = E [ ‖∇ log π_t‖² G_t | s ] / E [ ‖∇ log π_t‖² | s ]

    with G_t the soft reward-to-go (Greensmith, Bartlett, Baxter 2004, Theorem 8, here
    for each state and step). Since parameters of different steps and states differ,
    the trace of the covariance is a sum over them, and each term has its own minimum.

    Returns:
        In reward units, as seen at step t.
    """
    log_policy = log_policy_of(logits)
    policy = np.exp(log_policy)
    _, q = value_and_q(problem, torch.tensor(logits))
    soft = q.numpy() - problem.temperature * log_policy
    collision = np.square(policy).sum(axis=-1, keepdims=True)
    norm = 1 - 2 * policy + collision  # ‖onehot(a) - π‖²
    least = (policy * norm * soft).sum(axis=-1) / (policy * norm).sum(axis=-1)
    return np.asarray(~problem.mdp.terminal * least)
