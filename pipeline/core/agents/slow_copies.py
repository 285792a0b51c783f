"""Slow copies of networks, which stand in the target of soft actor-critic's critics."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.agents.base import learnable
from pipeline.core.agents.setting import Setting
from pipeline.core.config import Sac
from pipeline.core.optimizer import Adam


class TargetCritics:
    """Slow copies of the critics stand in the target (2019)."""

    def __init__(self, q: Float[Tensor, "row weight"]) -> None:
        """Copies of the critics as they are."""
        self._source = q
        self.weights = q.clone()

    def pair(self) -> tuple[Tensor, Tensor]:
        """(target, source)."""
        return self.weights, self._source


class TargetValue:
    """The slow copy of a value network stands in the target (2018)."""

    def __init__(
        self,
        config: Sac,
        setting: Setting,
        rate: Float[Tensor, " member"],
    ) -> None:
        """A fresh value network and its copy.

        Args:
            config: Whose hidden layers it has.
            setting: Of the population.
            rate: Step size of each member.
        """
        self._network = setting.network((setting.states,), config.hidden, 1)
        self.source = self._network.glorot(setting.seeds, "value")
        self.weights = self.source.clone()
        self.adam = Adam(self.source, rate)

    def value(
        self, state: Float[Tensor, "member batch state"]
    ) -> Float[Tensor, "member batch"]:
        """V(s) of the slow copy."""
        out = self._network(self.weights, state.unsqueeze(2))
        return out.flatten(start_dim=1)

    def update(
        self,
        state: Float[Tensor, "member batch state"],
        target: Float[Tensor, "member batch"],
    ) -> None:
        """One step of the value network (SAC 2018 Eqs. 5, 6)."""
        weights = learnable(self.source)
        value = self._network(weights, state.unsqueeze(2)).flatten(start_dim=1)
        loss = equations.squared_error(value, target)
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self.adam.step(gradient)

    def pair(self) -> tuple[Tensor, Tensor]:
        """(target, source)."""
        return self.weights, self.source
