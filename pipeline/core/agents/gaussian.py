"""The squashed Gaussian policy of soft actor-critic and of REINFORCE."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.base import Agent
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.shapes import Actions, States, Values
from pipeline.core.equations import squashing
from pipeline.core.population.networks import Mlp

LOG_SCALE_RANGE = (-20.0, 2.0)


@dataclass(frozen=True)
class SquashedGaussian:
    """a = tanh(u) with u ~ N(μ(s), σ(s)²); like a network, without its weights."""

    network: Mlp
    """From a state to μ and log σ."""

    @classmethod
    def of(cls, setting: Setting, hidden: tuple[int, ...]) -> "SquashedGaussian":
        """A policy with hidden layers of these widths."""
        return cls(setting.network((setting.states,), hidden, 2 * setting.actions))

    def _parameters(self, weights: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        out = self.network(weights, state.unsqueeze(2)).squeeze(2)
        mean, log_scale = out.chunk(2, dim=-1)
        return mean, log_scale.clamp(*LOG_SCALE_RANGE)

    def draw(
        self, weights: Float[Tensor, "member weight"], state: States, noise: Actions
    ) -> tuple[Actions, Values]:
        """Reparameterised actions and their log-densities (SAC 2018 Eqs. 11, 20)."""
        mean, log_scale = self._parameters(weights, state)
        u = mean + log_scale.exp() * noise
        log_prob = squashing.squashed_gaussian_log_density(noise, log_scale, u)
        return torch.tanh(u), log_prob

    def log_prob_of_drawn(
        self, weights: Float[Tensor, "member weight"], state: States, noise: Actions
    ) -> Values:
        """Log-densities of the actions that `draw` makes, taken as constants.

        The same numbers as from `draw`, but their gradient is the score ∇ log π(a | s)
        of the action. The action is known by its noise: from a itself, u could not be
        had back where the squashing has rounded it to ±1. Densities are with respect to
        volume in [-1, 1]^d, in nats.
        """
        mean, log_scale = self._parameters(weights, state)
        u = (mean + log_scale.exp() * noise).detach()
        standardised = (u - mean) / log_scale.exp()
        return squashing.squashed_gaussian_log_density(standardised, log_scale, u)

    def centre(self, weights: Float[Tensor, "member weight"], state: States) -> Actions:
        """tanh(μ(s)), the median of every coordinate."""
        mean, _ = self._parameters(weights, state)
        return torch.tanh(mean)


class GaussianPolicy(Agent):
    """A population that acts by a squashed Gaussian, its own exploration."""

    _actor: SquashedGaussian
    _policy: Float[Tensor, "member weight"]
    """Weights of the actor."""

    @torch.no_grad()
    def sample(self, state: States, noise: Actions) -> Actions:
        """Draws a = tanh(μ(s) + σ(s) ε)."""
        action, _ = self._actor.draw(self._policy, state, noise)
        return action

    @torch.no_grad()
    def greedy(self, state: States) -> Actions:
        """tanh(μ(s))."""
        return self._actor.centre(self._policy, state)
