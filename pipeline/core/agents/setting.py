"""What the members of a population have in common, and what is made from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.config.computation import PLAIN, Computation
from pipeline.core.config.values import Value, shared
from pipeline.core.population.compiling import compile_update
from pipeline.core.population.networks import Mlp
from pipeline.core.population.noise import Noise

Config = TypeVar("Config")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Setting:
    """What a population is besides its configuration."""

    seeds: tuple[int, ...]
    """One per member."""
    states: int
    """Width of a state."""
    actions: int
    """Width of an action."""
    discount: float
    """γ of the task, per environment step."""
    computation: Computation = PLAIN
    """How updates are computed, settled."""

    def network(
        self, inputs: tuple[int, ...], hidden: tuple[int, ...], output: int
    ) -> Mlp:
        """A network of these widths."""
        return Mlp(inputs, hidden, output, self.computation)

    def noise(
        self, purpose: str, *shape: int, kind: Literal["normal", "uniform"] = "normal"
    ) -> Noise:
        """Noise of this shape for every member, where it is needed."""
        device = torch.device(self.computation.device)
        return Noise(self.seeds, purpose, shape=shape, kind=kind, device=device)

    def compiled(
        self, method: Callable[Arguments, Result], config: Value
    ) -> Callable[Arguments, Result]:
        """An update of a learner with these settings, as `computation` says."""
        return compile_update(method, self.computation, self._about(config))

    def acting(
        self, method: Callable[Arguments, Result], config: Value
    ) -> Callable[Arguments, Result]:
        """The same of what chooses actions; on a GPU that is done kernel by kernel."""
        kernel_by_kernel = self.computation.device == "cuda"
        if kernel_by_kernel or self.computation.compile == "updates":
            return method
        return self.compiled(method, config)

    def _about(self, config: Value) -> object:
        """All that decides what a learner's methods do."""
        return {
            "settings": shared(config),
            "widths": [self.states, self.actions],
            "discount": self.discount,
            "computation": self.computation.model_dump(),
        }

    def numbers(
        self, configs: Sequence[Config], get: Callable[[Config], float]
    ) -> Float[Tensor, " member"]:
        """One number of every member's configuration."""
        values = [get(config) for config in configs]
        return torch.tensor(values, device=self.computation.device)
