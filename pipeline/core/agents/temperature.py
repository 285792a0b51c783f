"""The temperature of a learner: fixed, annealed, or automatic to keep an entropy."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.base import Part
from pipeline.core.agents.setting import Setting
from pipeline.core.config.learner import AutomaticTemperature, FixedTemperature
from pipeline.core.equations import soft
from pipeline.core.population.optimizer import Adam, learnable


class Fixed:
    """A temperature that is fixed, or falls to where it is fixed."""

    value: Float[Tensor, " member"]
    """α, as it is now. Before the first `follow`, and so in a population that is loaded
    and not trained, that to which it falls. Changed in place, because the program that
    acts has it as an input."""

    def __init__(self, configs: Sequence[FixedTemperature], setting: Setting) -> None:
        self._annealing = configs[0].annealing
        self._end = setting.numbers(configs, lambda c: c.fixed)
        self.value = self._end.clone()

    def follow(self, progress: float) -> None:
        """Fall to what belongs to a share of the run's updates (SQL appendix D)."""
        if self._annealing is not None:
            start = (self._annealing.temperature / self._end).clamp(min=1.0)
            left = max(0.0, 1 - progress / self._annealing.share)
            self.value.copy_(self._end * start**left)

    def update(self, entropy: Float[Tensor, " member"]) -> None:
        """Whatever the entropy, nothing changes."""

    def parts(self) -> dict[str, Part]:
        """Nothing is learned."""
        return {}


class Automatic:
    """A temperature that keeps the entropy at a target (SAC 2019 Eq. 18)."""

    def __init__(
        self, configs: Sequence[AutomaticTemperature], setting: Setting
    ) -> None:
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
        loss = soft.temperature_loss(log_alpha.squeeze(-1), entropy, self._target)
        (gradient,) = torch.autograd.grad(loss.sum(), log_alpha)
        self._adam.step(gradient)

    def parts(self) -> dict[str, Part]:
        """What is learned: log α."""
        return {"log_temperature": Part(self._log, self._adam)}


def make(
    configs: Sequence[FixedTemperature | AutomaticTemperature], setting: Setting
) -> Fixed | Automatic:
    """The temperatures of a population, all fixed or all automatic."""
    automatic = [c for c in configs if isinstance(c, AutomaticTemperature)]
    if automatic:
        return Automatic(automatic, setting)
    return Fixed([c for c in configs if isinstance(c, FixedTemperature)], setting)
