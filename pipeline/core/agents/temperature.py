"""The temperature of a learner: held, annealed, or tuned to keep an entropy."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.agents.base import learnable
from pipeline.core.agents.setting import Setting
from pipeline.core.config import FixedTemperature, TunedTemperature
from pipeline.core.optimizer import Adam


class Held:
    """A temperature that is held, or falls to where it is held."""

    value: Float[Tensor, " member"]
    """α, as it is now. Before the first `follow`, and so in a population that is loaded
    and not trained, that to which it falls."""

    def __init__(self, configs: Sequence[FixedTemperature], setting: Setting) -> None:
        """One for each member."""
        self._annealing = configs[0].annealing
        self._end = setting.numbers(configs, lambda c: c.fixed)
        self.value = self._end

    def follow(self, progress: float) -> None:
        """Fall to what belongs to a share of the run's updates (SQL appendix D)."""
        if self._annealing is not None:
            start = (self._annealing.temperature / self._end).clamp(min=1.0)
            left = max(0.0, 1 - progress / self._annealing.share)
            self.value = self._end * start**left

    def update(self, entropy: Float[Tensor, " member"]) -> None:
        """Whatever the entropy, nothing changes."""

    def networks(self) -> dict[str, Tensor]:
        """Nothing is learned."""
        return {}

    def optimizers(self) -> dict[str, Adam]:
        """Nothing is learned."""
        return {}


class Tuned:
    """A temperature that keeps the entropy at a target (SAC 2019 Eq. 18)."""

    def __init__(self, configs: Sequence[TunedTemperature], setting: Setting) -> None:
        """One for each member."""
        per_dim = setting.numbers(configs, lambda c: c.target_entropy_per_dim)
        self._target = setting.actions * per_dim
        self._log = setting.numbers(configs, lambda c: c.initial).log().unsqueeze(-1)
        rate = setting.numbers(configs, lambda c: c.learning_rate)
        self._adam = Adam(self._log, rate)

    def follow(self, progress: float) -> None:
        """The entropy decides, not the time."""

    @property
    def value(self) -> Float[Tensor, " member"]:
        """α, as it is now."""
        return self._log.squeeze(-1).exp()

    def update(self, entropy: Float[Tensor, " member"]) -> None:
        """One step down the dual."""
        log_alpha = learnable(self._log)
        loss = equations.temperature_loss(log_alpha.squeeze(-1), entropy, self._target)
        (gradient,) = torch.autograd.grad(loss.sum(), log_alpha)
        self._adam.step(gradient)

    def networks(self) -> dict[str, Tensor]:
        """What is learned: log α."""
        return {"log_temperature": self._log}

    def optimizers(self) -> dict[str, Adam]:
        """Of log α."""
        return {"log_temperature": self._adam}


def make(
    configs: Sequence[FixedTemperature | TunedTemperature], setting: Setting
) -> Held | Tuned:
    """The temperatures of a population, all held or all tuned."""
    tuned = [c for c in configs if isinstance(c, TunedTemperature)]
    if tuned:
        return Tuned(tuned, setting)
    held = [c for c in configs if isinstance(c, FixedTemperature)]
    return Held(held, setting)
