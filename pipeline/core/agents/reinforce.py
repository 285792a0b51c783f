"""REINFORCE for the maximum-entropy objective: the plain soft policy gradient.

    ∇J = E [ Σₜ ∇ log π(aₜ | sₜ) · (Gₜ - b(sₜ)) ],
    Gₜ = Σₖ γᵏ ( rₜ₊ₖ - α log π(aₜ₊ₖ | sₜ₊ₖ) )

Williams 1992 for the gradient from sampled returns, with baseline; Levine 2018
(arXiv:1805.00909v3, section 4.1) for the entropy in them. The entropy's own gradient
would add -α to Gₜ; its mean is zero and it is left out. As nearly everybody does, γ
discounts from the step that is credited, not from the start of its episode: without
that, hardly anything would be learned about late states.

Each rollout is used once, by the policy that made it. What happens where it cuts an
episode, at a time limit or at its own end: with a value network, V of the state reached
stands for the rest. Without one nothing can, and the return stops there: actions less
than about 1/(1-γ) steps before a cut are credited with too little, which biases the
gradient towards rewards that come early.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents import baseline
from pipeline.core.agents.base import Part
from pipeline.core.agents.gaussian import GaussianPolicy, SquashedGaussian
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Reinforce
from pipeline.core.agents.temperature import Fixed
from pipeline.core.equations import returns
from pipeline.core.memory.rollout import Rollout
from pipeline.core.population.optimizer import Adam, learnable


class SoftPolicyGradient(GaussianPolicy):
    """A squashed Gaussian policy, and a value network if there is a baseline."""

    def __init__(self, configs: Sequence[Reinforce], setting: Setting) -> None:
        self._config = configs[0]
        self._discount = setting.discount
        self._actor = SquashedGaussian.of(setting, self._config.hidden)
        self._policy = self._actor.network.glorot(setting.seeds, "policy")
        rate = setting.numbers(configs, lambda c: c.learning_rate)
        self._policy_adam = Adam(self._policy, rate)
        self._alpha = Fixed([c.temperature for c in configs], setting)
        self._baseline = baseline.make(configs, setting)
        self._exploration = setting.noise("exploration", setting.actions)
        self._sample_once = self.sample
        policy = Part(self._policy, self._policy_adam)
        self._parts = {"policy": policy} | self._baseline.parts()
        self._diagnostics = {}

    @property
    def temperature(self) -> Float[Tensor, " member"]:
        return self._alpha.value

    def follow_schedules(self, progress: float) -> None:
        """Temperature; step sizes are constant."""
        self._alpha.follow(progress)

    def update(self, rollout: Rollout, *, index: int) -> None:
        """One step of the policy, then several of the value network.

        `rollout` is what `act` has led to in the steps of this update. `index` counts
        updates from 0, each after `steps_per_update` steps: which noise the actions
        had.
        """
        length = rollout.reward.shape[1]
        steps = range(index * length, (index + 1) * length)
        noise = torch.stack([self._exploration.at(step) for step in steps], dim=1)
        weights = learnable(self._policy)
        log_prob = self._actor.log_prob_of_drawn(weights, rollout.state, noise)
        credit, to_go = self._credit(rollout, log_prob.detach())
        surrogate = -(credit * log_prob).mean(dim=1)
        (gradient,) = torch.autograd.grad(surrogate.sum(), weights)
        self._policy_adam.step(gradient)
        fit = self._baseline.update(rollout.state, to_go)
        self._diagnostics = fit | {
            "soft_return": to_go.mean(dim=1),
            "credit_spread": credit.std(dim=1, correction=0),
            "entropy": -log_prob.detach().mean(dim=1),
            "temperature": self.temperature.clone(),
        }

    @torch.no_grad()
    def _credit(
        self, rollout: Rollout, log_prob: Float[Tensor, "member time"]
    ) -> tuple[Float[Tensor, "member time"], Float[Tensor, "member time"]]:
        """What multiplies each ∇ log π, and the soft reward-to-go."""
        reward = returns.soft_reward(rollout.reward, log_prob, self.temperature)
        cut = rollout.truncated.clone()
        cut[:, -1] = 1.0
        to_go = returns.reward_to_go(
            reward,
            self._baseline.value(rollout.state_next),
            terminated=rollout.terminated,
            cut=cut,
            discount=self._discount,
        )
        credit = to_go - self._baseline.value(rollout.state)
        if self._config.credit == "whole_return":
            ended = torch.maximum(rollout.terminated, rollout.truncated)
            credit = credit + returns.reward_before(reward, ended)
        return credit, to_go
