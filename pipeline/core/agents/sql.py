"""Soft Q-learning with an amortised Stein sampler (Haarnoja et al. 2017, algorithm 1).

Departures from the text of the paper, each with its reason:
- Particles live before the squashing, u with a = tanh(u), and the change of volume is
  part of their density. In action space the same term would be counted twice.
- There is no target network of the policy: the authors' code has none.
- The bandwidth follows the authors' code (see `equations.kernel_bandwidth`).
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.agents.base import Agent, learnable, per_member, update_targets
from pipeline.core.config import Sql
from pipeline.core.networks import Mlp
from pipeline.core.optimizer import Adam
from pipeline.core.randomness import Noise, stream
from pipeline.core.replay import Batch

GREEDY_PARTICLES = 32


class SoftQLearning(Agent):
    """A soft Q-function and a network that samples from exp(Q/α)."""

    def __init__(
        self,
        configs: Sequence[Sql],
        seeds: Sequence[int],
        *,
        states: int,
        actions: int,
        discount: float,
    ) -> None:
        """Fresh networks.

        Args:
            configs: One per member; they may differ in numbers marked `PerMember`.
            seeds: One per member.
            states: Width of a state.
            actions: Width of an action.
            discount: γ of the task.
        """
        config = configs[0]
        self._config = config
        self._discount = discount
        self._actions = actions
        self._alpha = per_member(configs, lambda c: c.temperature.fixed)

        self._q_network = Mlp((states, actions), config.hidden, 1)
        self._sampler = Mlp((states, actions), config.hidden, actions)
        self._q = self._q_network.initial(seeds, "q")
        self._q_target = self._q.clone()
        self._policy = self._sampler.initial(seeds, "policy")
        q_rate = per_member(configs, lambda c: c.learning_rate.q)
        policy_rate = per_member(configs, lambda c: c.learning_rate.policy)
        self._q_adam = Adam(self._q, q_rate)
        self._policy_adam = Adam(self._policy, policy_rate)

        particles = config.particles.fixed + config.particles.updated
        self._exploration = Noise(seeds, "exploration", shape=(actions,), kind="normal")
        self._proposals = Noise(
            seeds,
            "value particles",
            shape=(config.batch, config.value_particles, actions),
            kind="uniform",
        )
        self._particles = Noise(
            seeds,
            "stein particles",
            shape=(config.batch, particles, actions),
            kind="normal",
        )
        greedy = stream(0, "greedy particles").standard_normal(
            (1, 1, GREEDY_PARTICLES, actions), dtype="float32"
        )
        self._greedy_noise = torch.from_numpy(greedy)
        self._diagnostics: dict[str, Tensor] = {}

    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """One draw from the policy: it is its own exploration."""
        noise = self._exploration.at(step)
        return self.sample(state[:, None], noise[:, None]).squeeze(1)

    @torch.no_grad()
    def sample(
        self,
        state: Float[Tensor, "member batch state"],
        noise: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch action"]:
        """Draws a = tanh(f(ξ; s)), approximately distributed as exp(Q(s, a)/α)."""
        pre_squash = self._sampler(self._policy, state.unsqueeze(2), noise.unsqueeze(2))
        return torch.tanh(pre_squash.squeeze(2))

    @torch.no_grad()
    def greedy(
        self, state: Float[Tensor, "member batch state"]
    ) -> Float[Tensor, "member batch action"]:
        """The best, by Q, of a fixed set of 32 draws from the policy."""
        state = state.unsqueeze(2)
        noise = self._greedy_noise.expand(*state.shape[:2], -1, -1)
        candidates = torch.tanh(self._sampler(self._policy, state, noise))
        q = self._q_network(self._q, state, candidates)
        best = q.argmax(dim=2, keepdim=True)
        return torch.take_along_dim(candidates, best, dim=2).squeeze(2)

    @torch.no_grad()
    def q(
        self,
        state: Float[Tensor, "member batch state"],
        action: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch"]:
        """The soft Q-function."""
        q = self._q_network(self._q, state.unsqueeze(2), action.unsqueeze(2))
        return q.squeeze(3).squeeze(2)

    @property
    def temperature(self) -> Float[Tensor, " member"]:
        """Temperature α."""
        return self._alpha

    def update(self, batch: Batch, *, index: int) -> None:
        """One step of the soft Q-function, then one of the sampler."""
        self._update_q(batch, index)
        self._update_policy(batch.state.unsqueeze(2), index)
        update_targets(self._config, [(self._q_target, self._q)], index=index)

    def _update_q(self, batch: Batch, index: int) -> None:
        target = equations.bellman_target(
            batch.reward,
            self._soft_value(batch.state_next.unsqueeze(2), index),
            batch.terminated,
            self._discount,
        )
        weights = learnable(self._q)
        state, action = batch.state.unsqueeze(2), batch.action.unsqueeze(2)
        q = self._q_network(weights, state, action).flatten(start_dim=1)
        loss = equations.squared_error(q, target)
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._q_adam.step(gradient)
        self._diagnostics |= {"q_loss": loss.detach(), "q": q.detach().mean(dim=1)}

    @torch.no_grad()
    def _soft_value(
        self, state_next: Float[Tensor, "member batch 1 state"], index: int
    ) -> Float[Tensor, "member batch"]:
        actions = 2 * self._proposals.at(index) - 1
        log_proposal = torch.tensor([[[-self._actions * math.log(2)]]])
        q = self._q_network(self._q_target, state_next, actions).squeeze(3)
        return equations.soft_value(q, log_proposal, self._alpha[:, None])

    def _update_policy(
        self, state: Float[Tensor, "member batch 1 state"], index: int
    ) -> None:
        counts = [self._config.particles.fixed, self._config.particles.updated]
        noise_fixed, noise_updated = torch.split(
            self._particles.at(index), counts, dim=2
        )
        with torch.no_grad():
            fixed = self._sampler(self._policy, state, noise_fixed)
        gradient = self._density_gradient(state, fixed)

        weights = learnable(self._policy)
        updated = self._sampler(weights, state, noise_updated)
        direction = equations.stein_direction(
            fixed, updated.detach(), gradient, self._alpha[:, None]
        )
        scale = direction.shape[1] * direction.shape[2]
        (ascent,) = torch.autograd.grad(updated, weights, direction / scale)
        self._policy_adam.step(-ascent)
        norm = direction.norm(dim=3).mean(dim=(1, 2))
        spread = torch.tanh(fixed).std(dim=2).mean(dim=(1, 2))
        self._diagnostics |= {"stein_norm": norm, "action_spread": spread}

    def _density_gradient(
        self,
        state: Float[Tensor, "member batch 1 state"],
        pre_squash: Float[Tensor, "member batch particle action"],
    ) -> Float[Tensor, "member batch particle action"]:
        """Gradient of Q(s, tanh u) + α log |det da/du| with respect to u."""
        u = learnable(pre_squash)
        q = self._q_network(self._q, state, torch.tanh(u)).squeeze(3)
        alpha = self._alpha[:, None, None]
        energy = q + alpha * equations.squash_log_det(u)
        (gradient,) = torch.autograd.grad(energy.sum(), u)
        return gradient

    def diagnostics(self) -> dict[str, Float[Tensor, " member"]]:
        """Loss and mean of Q; length of the Stein direction; spread of actions."""
        return self._diagnostics

    def networks(self) -> dict[str, Tensor]:
        """Q, its target, and the sampler."""
        return {"q": self._q, "q_target": self._q_target, "policy": self._policy}

    def optimizers(self) -> dict[str, Adam]:
        """Of Q and of the sampler."""
        return {"q": self._q_adam, "policy": self._policy_adam}

    def process(self) -> dict[str, Tensor]:
        """Nothing else goes on."""
        return {}
