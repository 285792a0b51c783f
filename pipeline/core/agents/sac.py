"""Soft actor-critic with two critics, in the form of 2018 or of 2019.

`value: network` (Haarnoja et al. 2018, algorithm 1): a value network, whose slow copy
is in the critics' target. `value: critics` (2019, algorithm 1): the critics have slow
copies instead. Both use the smaller of two critics. The temperature is fixed or tuned.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.agents import temperature
from pipeline.core.agents.base import (
    QLearner,
    learnable,
    per_member,
    scale_learning_rates,
    update_targets,
)
from pipeline.core.agents.gaussian import SquashedGaussian
from pipeline.core.agents.slow_copies import TargetCritics, TargetValue
from pipeline.core.config import Sac
from pipeline.core.networks import Mlp
from pipeline.core.noise import Noise
from pipeline.core.optimizer import Adam
from pipeline.core.replay import Batch


class SoftActorCritic(QLearner):
    """A squashed Gaussian policy and two critics."""

    def __init__(
        self,
        configs: Sequence[Sac],
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
        q_rate = per_member(configs, lambda c: c.learning_rate.q)
        policy_rate = per_member(configs, lambda c: c.learning_rate.policy)

        self._actor = SquashedGaussian.of(states, config.hidden, actions)
        self._policy = self._actor.network.glorot(seeds, "policy")
        self._policy_adam = Adam(self._policy, policy_rate)
        self._critic = Mlp((states, actions), config.hidden, 1)
        pair = [self._critic.glorot(seeds, name) for name in ("q 1", "q 2")]
        self._q = torch.stack(pair, dim=1).flatten(end_dim=1)  # [member * 2, weight]
        self._q_adam = Adam(self._q, q_rate.repeat_interleave(2))
        self._target: TargetCritics | TargetValue = TargetCritics(self._q)
        if config.value == "network":
            self._target = TargetValue(config, seeds, states, q_rate)
        self._alpha = temperature.make([c.temperature for c in configs], actions)

        self._exploration = Noise(seeds, "exploration", shape=(actions,), kind="normal")
        shape = (2, config.batch, actions)
        self._noise = Noise(seeds, "policy noise", shape=shape, kind="normal")
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
        """Draws a = tanh(μ(s) + σ(s) ε)."""
        action, _ = self._actor.draw(self._policy, state, noise)
        return action

    @torch.no_grad()
    def greedy(
        self, state: Float[Tensor, "member batch state"]
    ) -> Float[Tensor, "member batch action"]:
        """tanh(μ(s))."""
        return self._actor.centre(self._policy, state)

    @torch.no_grad()
    def q(
        self,
        state: Float[Tensor, "member batch state"],
        action: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch"]:
        """The smaller of the two critics."""
        return self._critics(self._q, state, action).amin(dim=1)

    @torch.no_grad()
    def soft_value(
        self,
        state: Float[Tensor, "member batch state"],
        noise: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch"]:
        """Q - α log π of one draw per state, of mean V(s) (SAC 2018 Eq. 3)."""
        action, log_prob = self._actor.draw(self._policy, state, noise)
        return self.q(state, action) - self.temperature[:, None] * log_prob

    @property
    def temperature(self) -> Float[Tensor, " member"]:
        """Temperature α, as it is now."""
        return self._alpha.value

    def _critics(
        self, weights: Tensor, state: Tensor, action: Tensor
    ) -> Float[Tensor, "member 2 batch"]:
        twice = [x.repeat_interleave(2, dim=0).unsqueeze(2) for x in (state, action)]
        return self._critic(weights, *twice).view(state.shape[0], 2, state.shape[1])

    def follow_schedules(self, progress: float) -> None:
        """Step sizes and temperature."""
        scale_learning_rates(
            self.optimizers().values(),
            self._config.learning_rate.constant,
            progress=progress,
        )
        self._alpha.follow(progress)

    def update(self, batch: Batch, *, index: int) -> None:
        """One step of the critics, the policy, the temperature and the slow copies."""
        noise, noise_next = self._noise.at(index).unbind(dim=1)
        self._update_critics(batch, self._bellman_target(batch, noise_next))
        value_target, log_prob = self._update_policy(batch.state, noise)
        self._alpha.update(-log_prob.mean(dim=1))
        if isinstance(self._target, TargetValue):
            self._target.update(batch.state, value_target)
        update_targets(self._config, [self._target.pair()], index=index)

    @torch.no_grad()
    def _bellman_target(
        self, batch: Batch, noise: Float[Tensor, "member batch action"]
    ) -> Float[Tensor, "member batch"]:
        if isinstance(self._target, TargetValue):
            value = self._target.value(batch.state_next)
        else:
            action, log_prob = self._actor.draw(self._policy, batch.state_next, noise)
            critics = self._critics(self._target.weights, batch.state_next, action)
            value = critics.amin(dim=1) - self.temperature[:, None] * log_prob
        return equations.bellman_target(
            batch.reward, value, batch.terminated, self._discount
        )

    def _update_critics(
        self, batch: Batch, target: Float[Tensor, "member batch"]
    ) -> None:
        weights = learnable(self._q)
        q = self._critics(weights, batch.state, batch.action)
        loss = equations.squared_error(q, target[:, None])
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._q_adam.step(gradient)
        mean = q.detach().mean(dim=(1, 2))
        self._diagnostics |= {"q_loss": loss.detach().mean(dim=1), "q": mean}

    def _update_policy(
        self,
        state: Float[Tensor, "member batch state"],
        noise: Float[Tensor, "member batch action"],
    ) -> tuple[Float[Tensor, "member batch"], Float[Tensor, "member batch"]]:
        """Returns the soft value of the sampled actions, and their log-density."""
        weights = learnable(self._policy)
        action, log_prob = self._actor.draw(weights, state, noise)
        q = self._critics(self._q, state, action).amin(dim=1)
        loss = equations.actor_loss(log_prob, q, self.temperature)
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._policy_adam.step(gradient)
        log_prob = log_prob.detach()
        self._diagnostics |= {
            "policy_loss": loss.detach(),
            "entropy": -log_prob.mean(dim=1),
            "temperature": self.temperature.clone(),
        }
        return q.detach() - self.temperature[:, None] * log_prob, log_prob

    def diagnostics(self) -> dict[str, Float[Tensor, " member"]]:
        """Losses, mean of Q, entropy of the policy, temperature."""
        return self._diagnostics

    def networks(self) -> dict[str, Tensor]:
        """Policy, critics `[member, 2, weight]`, slow copies, a tuned temperature."""
        members = self._policy.shape[0]
        own = {"policy": self._policy, "q": self._q.view(members, 2, -1)}
        target = self._target.weights
        if isinstance(self._target, TargetValue):
            own |= {"value": self._target.source, "value_target": target}
        else:
            own |= {"q_target": target.view(members, 2, -1)}
        return own | self._alpha.networks()

    def optimizers(self) -> dict[str, Adam]:
        """Of everything that learns."""
        own = {"policy": self._policy_adam, "q": self._q_adam}
        if isinstance(self._target, TargetValue):
            own |= {"value": self._target.adam}
        return own | self._alpha.optimizers()

    def exploration_state(self) -> dict[str, Tensor]:
        """The policy's own noise carries nothing."""
        return {}
