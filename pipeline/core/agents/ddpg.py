"""Deep deterministic policy gradient (Lillicrap et al. 2016, algorithm 1)."""

from collections.abc import Sequence
from typing import assert_never

import torch
from jaxtyping import Bool
from torch import Tensor

from pipeline.core.agents.base import Part, QLearner
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Ddpg, GaussianNoise, OrnsteinUhlenbeckNoise
from pipeline.core.agents.shapes import Action, Actions, Numbers, State, States, Values
from pipeline.core.equations import soft
from pipeline.core.memory.replay import Batch
from pipeline.core.population.optimizer import Adam, learnable


class DeepDeterministicPolicyGradient(QLearner):
    """A deterministic policy, one critic, and target networks of both."""

    _config: Ddpg

    def __init__(self, configs: Sequence[Ddpg], setting: Setting) -> None:
        config = configs[0]
        self._config = config
        self._discount = setting.discount
        states, actions = setting.states, setting.actions
        self._actor = setting.network((states,), config.hidden, actions)
        self._critic = setting.network((states, actions), config.hidden, 1)
        self._policy = self._actor.glorot(setting.seeds, "policy")
        self._policy_target = self._policy.clone()
        self._q = self._critic.glorot(setting.seeds, "q")
        self._q_target = self._q.clone()
        q_rate = setting.numbers(configs, lambda c: c.learning_rate.q)
        policy_rate = setting.numbers(configs, lambda c: c.learning_rate.policy)
        self._policy_adam = Adam(self._policy, policy_rate)
        self._q_adam = Adam(self._q, q_rate)

        self._exploration = setting.noise("exploration", actions)
        self._sigma = setting.numbers(configs, lambda c: c.sigma).unsqueeze(-1)
        self._disturbance = self._sigma.new_zeros(len(configs), actions)
        self._explore_once = setting.acting(self._explore, config)
        self._learn_once = setting.compiled(self._learn, config)
        self._parts = {
            "policy": Part(self._policy, self._policy_adam, self._policy_target),
            "q": Part(self._q, self._q_adam, self._q_target),
        }
        self._diagnostics = {}

    def act(
        self, state: State, *, step: int, starting: Bool[Tensor, " member"]
    ) -> Action:
        noise = self._exploration.at(step)
        return self._explore_once(state, noise, starting)

    @torch.no_grad()
    def _explore(
        self, state: State, noise: Action, starting: Bool[Tensor, " member"]
    ) -> Action:
        match self._config.noise:
            case OrnsteinUhlenbeckNoise(ornstein_uhlenbeck=settings):
                left = self._disturbance.masked_fill(starting[:, None], 0.0)
                moved = soft.ornstein_uhlenbeck_step(
                    left, noise, settings.theta, self._sigma
                )
            case GaussianNoise():
                moved = self._sigma * noise
            case other:
                assert_never(other)
        self._disturbance.copy_(moved)
        action = self.greedy(state[:, None]).squeeze(1) + moved
        return action.clamp(-1.0, 1.0)

    def sample(self, state: States, noise: Actions) -> Actions:
        return self.greedy(state)

    @torch.no_grad()
    def greedy(self, state: States) -> Actions:
        """μ(s)."""
        return self._act(self._policy, state)

    @torch.no_grad()
    def q(self, state: States, action: Actions) -> Values:
        return self._value(self._q, state, action)

    @property
    def temperature(self) -> None:
        return None

    def _act(self, weights: Tensor, state: Tensor) -> Actions:
        return torch.tanh(self._actor(weights, state.unsqueeze(2)).squeeze(2))

    def _value(self, weights: Tensor, state: Tensor, action: Tensor) -> Values:
        q = self._critic(weights, state.unsqueeze(2), action.unsqueeze(2))
        return q.flatten(start_dim=1)

    def update(self, batch: Batch, *, index: int) -> None:
        self._diagnostics = self._learn_once(batch)
        self._update_targets(index=index)

    def _learn(self, batch: Batch) -> dict[str, Numbers]:
        with torch.no_grad():
            action_next = self._act(self._policy_target, batch.state_next)
            value_next = self._value(self._q_target, batch.state_next, action_next)
            target = soft.bellman_target(
                batch.reward, value_next, batch.terminated, self._discount
            )
        q_weights = learnable(self._q)
        q = self._value(q_weights, batch.state, batch.action)
        q_loss = soft.squared_error(q, target)
        (gradient,) = torch.autograd.grad(q_loss.sum(), q_weights)
        self._q_adam.step(gradient)

        policy_weights = learnable(self._policy)
        action = self._act(policy_weights, batch.state)
        policy_loss = -self._value(self._q, batch.state, action).mean(dim=1)
        (gradient,) = torch.autograd.grad(policy_loss.sum(), policy_weights)
        self._policy_adam.step(gradient)

        self._average_targets()
        return {
            "q_loss": q_loss.detach(),
            "q": q.detach().mean(dim=1),
            "policy_loss": policy_loss.detach(),
        }

    def exploration_state(self) -> dict[str, Tensor]:
        """The disturbance, which an Ornstein–Uhlenbeck process continues."""
        return {"disturbance": self._disturbance}
