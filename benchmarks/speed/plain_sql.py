"""Soft Q-learning as one writes it first: a baseline, and no peer's code.

Written for this benchmark from the description of the algorithm (Haarnoja et al. 2017
and the authors' code), in the way of public ports to PyTorch: state and action are
concatenated, states are repeated for every particle, autograd goes everywhere, every
network has a `torch.optim.Adam` of its own, and targets follow parameter by parameter.
"""

import copy
import math

import torch
from torch import Tensor, nn

from benchmarks.speed import subject
from benchmarks.speed.subject import ACTIONS, RATE, STATES, Case, Run


def network(width: int, output: int) -> nn.Sequential:
    """Two hidden layers of ReLU units on a state and an action, or noise."""
    return nn.Sequential(
        nn.Linear(STATES + ACTIONS, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, output),
    )


class PlainSoftQLearning:
    """One learner, with one critic or with the smaller of two."""

    def __init__(self, *, width: int, particles: int, critics: int) -> None:
        self._particles = particles
        self._critics = [network(width, 1) for _ in range(critics)]
        self._targets = copy.deepcopy(self._critics)
        self._policy = network(width, ACTIONS)
        self._critic_adams = [
            torch.optim.Adam(critic.parameters(), lr=RATE) for critic in self._critics
        ]
        self._policy_adam = torch.optim.Adam(self._policy.parameters(), lr=RATE)

    def update(
        self,
        state: Tensor,
        action: Tensor,
        reward: Tensor,
        state_next: Tensor,
        terminated: Tensor,
    ) -> None:
        """One step of the critics, of the policy and of the targets."""
        wanted = self._bellman_target(reward, state_next, terminated)
        self._update_critics(state, action, wanted)
        self._update_policy(state)
        with torch.no_grad():
            for critic, target in zip(self._critics, self._targets, strict=True):
                parameters = zip(critic.parameters(), target.parameters(), strict=True)
                for source, own in parameters:
                    own.copy_(subject.TAU * source + (1 - subject.TAU) * own)

    @torch.no_grad()
    def _bellman_target(
        self, reward: Tensor, state_next: Tensor, terminated: Tensor
    ) -> Tensor:
        shape = (len(state_next), self._particles, ACTIONS)
        proposals = 2 * torch.rand(shape) - 1
        q_next = _least(self._targets, _repeated(state_next, proposals), proposals)
        value = torch.logsumexp(q_next, dim=1) - math.log(self._particles)
        value = value + ACTIONS * math.log(2)
        return reward + subject.DISCOUNT * (1 - terminated) * value

    def _update_critics(self, state: Tensor, action: Tensor, target: Tensor) -> None:
        for critic, adam in zip(self._critics, self._critic_adams, strict=True):
            q = critic(torch.cat([state, action], dim=-1)).squeeze(-1)
            loss = 0.5 * (target - q).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()

    def _update_policy(self, state: Tensor) -> None:
        noise = torch.randn(len(state), 2 * self._particles, ACTIONS)
        inputs = torch.cat([_repeated(state, noise), noise], dim=-1)
        actions = torch.tanh(self._policy(inputs))
        fixed, updated = torch.split(actions, self._particles, dim=1)
        fixed = fixed.detach().requires_grad_()
        volume = torch.log(1 - fixed.square() + 1e-6).sum(dim=-1)
        log_density = _least(self._critics, _repeated(state, fixed), fixed) + volume
        (slope,) = torch.autograd.grad(log_density.sum(), fixed)
        fixed = fixed.detach()
        kernel, repulsion = _kernel(fixed, updated.detach())
        direction = (kernel.unsqueeze(-1) * slope.unsqueeze(2) + repulsion).mean(dim=1)
        loss = -(direction * updated).sum(dim=-1).mean()
        self._policy_adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._policy_adam.step()


def _repeated(state: Tensor, like: Tensor) -> Tensor:
    """Every state for each of its particles."""
    return state.unsqueeze(1).expand(-1, like.shape[1], -1)


def _least(critics: list[nn.Sequential], state: Tensor, action: Tensor) -> Tensor:
    """The smaller of the critics, [state, particle]."""
    inputs = torch.cat([state, action], dim=-1)
    values = [critic(inputs).squeeze(-1) for critic in critics]
    return torch.stack(values).amin(dim=0)


def _kernel(fixed: Tensor, updated: Tensor) -> tuple[Tensor, Tensor]:
    """κ [state, fixed, updated] and its gradient with respect to the fixed ones."""
    difference = fixed.unsqueeze(2) - updated.unsqueeze(1)
    squared = difference.square().sum(dim=-1)
    median = squared.flatten(start_dim=1).median(dim=1).values
    bandwidth = (median / math.log(fixed.shape[1])).clamp(min=1e-3)[:, None, None]
    kernel = torch.exp(-squared / bandwidth)
    return kernel, (-2 * kernel / bandwidth).unsqueeze(-1) * difference


def updating_plainly(case: Case, critics: int) -> Run:
    """Updates from the batches that this project's learner has, too."""
    agent = PlainSoftQLearning(
        width=case.width, particles=case.particles, critics=critics
    )
    drawn = [[part[0] for part in batch[:5]] for batch in subject.batches(case)]

    def run(calls: int) -> None:
        for index in range(calls):
            agent.update(*drawn[index % subject.BATCHES])

    return run
