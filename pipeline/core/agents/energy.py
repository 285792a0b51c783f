"""Policies that sample from exp(Q/α), of soft Q-learning and of compositions."""

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.base import Agent
from pipeline.core.agents.shapes import Actions, Numbers, Particles, States, Values
from pipeline.core.agents.stein import SteinSampler


class EnergyPolicy(Agent):
    """A population whose sampler draws from exp(Q/α), its own exploration."""

    _sampler: SteinSampler

    @property
    @abstractmethod
    def temperature(self) -> Numbers:
        """Temperature α, in reward units per nat."""

    @abstractmethod
    def _q_of_particles(
        self, state: Float[Tensor, "member batch 1 state"], action: Particles
    ) -> Float[Tensor, "member batch particle"]:
        """The soft Q-function of several actions in each state, in reward units."""

    @torch.no_grad()
    def sample(self, state: States, noise: Actions) -> Actions:
        """Draws, approximately distributed as exp(Q(s, a)/α)."""
        return self._sampler.sample(
            state, noise, self._q_of_particles, self.temperature
        )

    def greedy(self, state: States) -> Actions:
        """The best, by Q, of a fixed set of 32 draws from the policy."""
        return self._sampler.best(state, self._q_of_particles)

    def q(self, state: States, action: Actions) -> Values:
        """The soft Q-function, in reward units."""
        return self._q_of_particles(state.unsqueeze(2), action.unsqueeze(2)).squeeze(2)
