"""What REINFORCE subtracts from a return, and takes for what follows a cut."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.agents.base import learnable
from pipeline.core.agents.setting import Setting
from pipeline.core.config import Reinforce, ValueBaseline
from pipeline.core.config.algorithms import ValueNetwork as ValueNetworkConfig
from pipeline.core.optimizer import Adam


class NoBaseline:
    """Nothing is subtracted, and nothing is known of what follows a cut."""

    def value(
        self, state: Float[Tensor, "member time state"]
    ) -> Float[Tensor, "member time"]:
        """0 everywhere."""
        return state.new_zeros(state.shape[:-1])

    def update(
        self,
        state: Float[Tensor, "member time state"],
        target: Float[Tensor, "member time"],
    ) -> dict[str, Float[Tensor, " member"]]:
        """Nothing is learned."""
        return {}

    def networks(self) -> dict[str, Tensor]:
        """Nothing is learned."""
        return {}

    def optimizers(self) -> dict[str, Adam]:
        """Nothing is learned."""
        return {}


class ValueNetwork:
    """V(s), fitted to the soft returns of each rollout after the policy has learned."""

    def __init__(
        self,
        hidden: tuple[int, ...],
        configs: Sequence[ValueNetworkConfig],
        setting: Setting,
    ) -> None:
        """A fresh network.

        Args:
            hidden: Widths of its hidden layers.
            configs: One per member.
            setting: What else the population is.
        """
        self._network = setting.network((setting.states,), hidden, 1)
        self._weights = self._network.glorot(setting.seeds, "value")
        rate = setting.numbers(configs, lambda c: c.learning_rate)
        self._adam = Adam(self._weights, rate)
        self._steps = configs[0].steps

    def _value(self, weights: Tensor, state: Tensor) -> Float[Tensor, "member time"]:
        return self._network(weights, state.unsqueeze(2)).flatten(start_dim=1)

    def value(
        self, state: Float[Tensor, "member time state"]
    ) -> Float[Tensor, "member time"]:
        """V(s), in reward units."""
        return self._value(self._weights, state)

    def update(
        self,
        state: Float[Tensor, "member time state"],
        target: Float[Tensor, "member time"],
    ) -> dict[str, Float[Tensor, " member"]]:
        """Descend the squared error; reports it, and V, as they were before."""
        before = self.value(state)
        for _ in range(self._steps):
            weights = learnable(self._weights)
            loss = equations.squared_error(self._value(weights, state), target)
            (gradient,) = torch.autograd.grad(loss.sum(), weights)
            self._adam.step(gradient)
        return {
            "value_loss": equations.squared_error(before, target),
            "value": before.mean(dim=1),
        }

    def networks(self) -> dict[str, Tensor]:
        """Those of V."""
        return {"value": self._weights}

    def optimizers(self) -> dict[str, Adam]:
        """Of V."""
        return {"value": self._adam}


def make(configs: Sequence[Reinforce], setting: Setting) -> NoBaseline | ValueNetwork:
    """The baseline of a population, as its members' settings have it."""
    networks = [
        c.baseline.value_network
        for c in configs
        if isinstance(c.baseline, ValueBaseline)
    ]
    if not networks:
        return NoBaseline()
    return ValueNetwork(configs[0].hidden, networks, setting)
