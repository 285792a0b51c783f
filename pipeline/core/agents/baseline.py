"""What REINFORCE subtracts from a return, and takes for what follows a cut."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.base import Part
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Reinforce, ValueBaseline
from pipeline.core.agents.value_network import ValueNetwork
from pipeline.core.equations import soft


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

    def parts(self) -> dict[str, Part]:
        """Nothing is learned."""
        return {}


class FittedBaseline:
    """V(s), fitted to the soft returns of each rollout after the policy has learned."""

    def __init__(self, network: ValueNetwork, steps: int) -> None:
        self._network = network
        self._steps = steps

    def value(
        self, state: Float[Tensor, "member time state"]
    ) -> Float[Tensor, "member time"]:
        """V(s), in reward units."""
        return self._network.value(self._network.weights, state)

    def update(
        self,
        state: Float[Tensor, "member time state"],
        target: Float[Tensor, "member time"],
    ) -> dict[str, Float[Tensor, " member"]]:
        """Descend the squared error; reports it, and V, as they were before."""
        before = self.value(state)
        for _ in range(self._steps):
            self._network.update(state, target)
        return {
            "value_loss": soft.squared_error(before, target),
            "value": before.mean(dim=1),
        }

    def parts(self) -> dict[str, Part]:
        """That of V."""
        return {"value": Part(self._network.weights, self._network.adam)}


def make(configs: Sequence[Reinforce], setting: Setting) -> NoBaseline | FittedBaseline:
    """The baseline of a population, as its members' settings have it."""
    fitted = [
        c.baseline.value_network
        for c in configs
        if isinstance(c.baseline, ValueBaseline)
    ]
    if not fitted:
        return NoBaseline()
    rate = setting.numbers(fitted, lambda c: c.learning_rate)
    network = ValueNetwork(configs[0].hidden, setting, rate)
    return FittedBaseline(network, fitted[0].steps)
