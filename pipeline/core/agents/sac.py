"""Soft actor-critic with two critics, in the form of 2018 or of 2019.

`value: network` (Haarnoja et al. 2018, algorithm 1): a value network, whose target
network is in the critics' target. `value: critics` (2019, algorithm 1): the critics
have target networks instead. Both use the smaller of two critics. The temperature is
fixed or automatic.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents import temperature as temperatures
from pipeline.core.agents.base import Part, QLearner
from pipeline.core.agents.gaussian import GaussianPolicy, SquashedGaussian
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sac
from pipeline.core.agents.shapes import Actions, Numbers, States, Values
from pipeline.core.agents.value_network import ValueNetwork
from pipeline.core.equations import soft
from pipeline.core.memory.replay import Batch
from pipeline.core.population.optimizer import Adam, learnable


class SoftActorCritic(GaussianPolicy, QLearner):
    """A squashed Gaussian policy and two critics."""

    def __init__(self, configs: Sequence[Sac], setting: Setting) -> None:
        config = configs[0]
        self._config = config
        self._discount = setting.discount
        q_rate = setting.numbers(configs, lambda c: c.learning_rate.q)
        policy_rate = setting.numbers(configs, lambda c: c.learning_rate.policy)

        states, actions = setting.states, setting.actions
        self._actor = SquashedGaussian.of(setting, config.hidden)
        self._policy = self._actor.network.glorot(setting.seeds, "policy")
        self._policy_adam = Adam(self._policy, policy_rate)
        self._critic = setting.network((states, actions), config.hidden, 1)
        pair = [self._critic.glorot(setting.seeds, name) for name in ("q 1", "q 2")]
        self._q = torch.stack(pair, dim=1).flatten(end_dim=1)  # [member * 2, weight]
        self._q_adam = Adam(self._q, q_rate.repeat_interleave(2))
        self._value: ValueNetwork | None = None
        if config.value == "network":
            self._value = ValueNetwork(config.hidden, setting, q_rate)
        source = self._q if self._value is None else self._value.weights
        self._target = source.clone()
        self._alpha = temperatures.make([c.temperature for c in configs], setting)

        self._exploration = setting.noise("exploration", actions)
        self._noise = setting.noise("policy noise", 2, config.batch, actions)
        self._sample_once = setting.acting(self.sample, config)
        self._learn_once = setting.compiled(self._learn, config)
        self._parts = self._named()
        self._diagnostics = {}

    def _named(self) -> dict[str, Part]:
        """Policy, critics, value network, an automatic temperature."""
        own = {"policy": Part(self._policy, self._policy_adam)}
        if self._value is None:
            own["q"] = Part(self._q, self._q_adam, self._target, networks=2)
        else:
            own["q"] = Part(self._q, self._q_adam, networks=2)
            own["value"] = Part(self._value.weights, self._value.adam, self._target)
        return own | self._alpha.parts()

    @torch.no_grad()
    def q(self, state: States, action: Actions) -> Values:
        """The smaller of the two critics."""
        return self._critics(self._q, state, action).amin(dim=1)

    @torch.no_grad()
    def soft_value(self, state: States, noise: Actions) -> Values:
        """Q - α log π of one draw per state, of mean V(s) (SAC 2018 Eq. 3)."""
        action, log_prob = self._actor.draw(self._policy, state, noise)
        return self.q(state, action) - self.temperature[:, None] * log_prob

    @property
    def temperature(self) -> Numbers:
        return self._alpha.value

    def _critics(
        self, weights: Tensor, state: Tensor, action: Tensor
    ) -> Float[Tensor, "member 2 batch"]:
        twice = [x.repeat_interleave(2, dim=0).unsqueeze(2) for x in (state, action)]
        return self._critic(weights, *twice).view(state.shape[0], 2, state.shape[1])

    def follow_schedules(self, progress: float) -> None:
        super().follow_schedules(progress)
        self._alpha.follow(progress)

    def update(self, batch: Batch, *, index: int) -> None:
        noise = self._noise.at(index)
        self._diagnostics = self._learn_once(batch, noise, self.temperature)
        self._update_targets(index=index)

    def _learn(
        self,
        batch: Batch,
        noise: Float[Tensor, "member 2 batch action"],
        temperature: Numbers,
    ) -> dict[str, Numbers]:
        noise_now, noise_next = noise.unbind(dim=1)
        target = self._bellman_target(batch, noise_next, temperature)
        critics = self._update_critics(batch, target)
        value, policy = self._update_policy(batch.state, noise_now, temperature)
        self._alpha.update(policy["entropy"])
        if self._value is not None:
            self._value.update(batch.state, value)
        self._average_targets()
        return critics | policy | {"temperature": temperature}

    @torch.no_grad()
    def _bellman_target(
        self, batch: Batch, noise: Actions, temperature: Numbers
    ) -> Values:
        if self._value is not None:
            value = self._value.value(self._target, batch.state_next)
        else:
            action, log_prob = self._actor.draw(self._policy, batch.state_next, noise)
            critics = self._critics(self._target, batch.state_next, action)
            value = critics.amin(dim=1) - temperature[:, None] * log_prob
        return soft.bellman_target(
            batch.reward, value, batch.terminated, self._discount
        )

    def _update_critics(self, batch: Batch, target: Values) -> dict[str, Numbers]:
        """Returns what is worth knowing."""
        weights = learnable(self._q)
        q = self._critics(weights, batch.state, batch.action)
        loss = soft.squared_error(q, target[:, None])
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._q_adam.step(gradient)
        mean = q.detach().mean(dim=(1, 2))
        return {"q_loss": loss.detach().mean(dim=1), "q": mean}

    def _update_policy(
        self, state: States, noise: Actions, temperature: Numbers
    ) -> tuple[Values, dict[str, Numbers]]:
        """Returns the soft value of the sampled actions, and what is worth knowing."""
        weights = learnable(self._policy)
        action, log_prob = self._actor.draw(weights, state, noise)
        q = self._critics(self._q, state, action).amin(dim=1)
        loss = soft.actor_loss(log_prob, q, temperature)
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._policy_adam.step(gradient)
        log_prob = log_prob.detach()
        value = q.detach() - temperature[:, None] * log_prob
        known = {"policy_loss": loss.detach(), "entropy": -log_prob.mean(dim=1)}
        return value, known
