"""A network V(s), as soft actor-critic (2018) and the baseline of REINFORCE have it."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.setting import Setting
from pipeline.core.agents.shapes import Numbers, States, Values
from pipeline.core.equations import soft
from pipeline.core.population.optimizer import Adam, learnable


class ValueNetwork:
    """V(s), which descends a squared error."""

    def __init__(
        self, hidden: tuple[int, ...], setting: Setting, rate: Numbers
    ) -> None:
        self._network = setting.network((setting.states,), hidden, 1)
        self.weights = self._network.glorot(setting.seeds, "value")
        self.adam = Adam(self.weights, rate)

    def value(self, weights: Float[Tensor, "member weight"], state: States) -> Values:
        """V(s), in reward units, with the network's own weights or others."""
        return self._network(weights, state.unsqueeze(2)).flatten(start_dim=1)

    def update(self, state: States, target: Values) -> None:
        """One step towards the target (SAC 2018 Eqs. 5, 6)."""
        weights = learnable(self.weights)
        loss = soft.squared_error(self.value(weights, state), target)
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self.adam.step(gradient)
