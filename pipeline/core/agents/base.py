"""What every learner offers, for a whole population at once."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.config import CopiedTarget, OffPolicy, SmoothTarget
from pipeline.core.optimizer import Adam
from pipeline.core.replay import Batch


class Agent(ABC):
    """A population of learners of one kind. Every tensor has the member axis first.

    Actions are in [-1, 1]^d. Noise arrives from outside in `sample`, so that whoever
    evaluates chooses the stream; `act` and `update` draw from the members' own.
    """

    @abstractmethod
    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """Actions for gathering experience.

        Args:
            state: One per member.
            step: Environment step, counted from 0: which noise is used.
            starting: Where an episode begins.
        """

    @abstractmethod
    def sample(
        self,
        state: Float[Tensor, "member batch state"],
        noise: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch action"]:
        """Actions of the policy as learned; `noise` is N(0, I)."""

    @abstractmethod
    def greedy(
        self, state: Float[Tensor, "member batch state"]
    ) -> Float[Tensor, "member batch action"]:
        """The policy's best guess, without randomness."""

    @property
    @abstractmethod
    def temperature(self) -> Float[Tensor, " member"] | None:
        """Temperature α, in reward units per nat; None for a learner without one."""

    @abstractmethod
    def diagnostics(self) -> dict[str, Float[Tensor, " member"]]:
        """Quantities of the last update; `docs/metrics.md` defines each."""

    @abstractmethod
    def networks(self) -> dict[str, Tensor]:
        """The weights that make the policy and its values, changed in place.

        `X_target` is the slow copy of `X`.
        """

    @property
    def device(self) -> torch.device:
        """Where it expects tensors, and returns them."""
        return next(iter(self.networks().values())).device

    @abstractmethod
    def optimizers(self) -> dict[str, Adam]:
        """One optimiser for each network that learns."""

    @abstractmethod
    def follow_schedules(self, progress: float) -> None:
        """Set step sizes and temperature to what a share of the run's updates asks.

        Args:
            progress: Updates made so far over those of the whole run, in [0, 1).
        """

    @abstractmethod
    def exploration_state(self) -> dict[str, Tensor]:
        """What exploration carries from step to step."""

    def state(self) -> dict[str, Tensor]:
        """Every tensor that goes on from step to step."""
        moments = {
            f"{name}.adam.{key}": value
            for name, optimizer in self.optimizers().items()
            for key, value in optimizer.state().items()
        }
        return self.networks() | moments | self.exploration_state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class QLearner(Agent):
    """A population that learns a Q-function, from replayed experience."""

    @abstractmethod
    def q(
        self,
        state: Float[Tensor, "member batch state"],
        action: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch"]:
        """Q(s, a), in reward units."""

    @abstractmethod
    def update(self, batch: Batch, *, index: int) -> None:
        """Learn from one batch; `index` counts updates from 0 and chooses the noise."""


def scale_learning_rates(
    optimizers: Iterable[Adam], constant: float, *, progress: float
) -> None:
    """Hold the step sizes at first, then let them fall on a line that ends at 0.

    Args:
        optimizers: Whose steps are scaled.
        constant: Share of the run's updates before the fall.
        progress: Updates made so far over those of the whole run, in [0, 1).
    """
    falling = progress > constant
    scale = (1 - progress) / (1 - constant) if falling else 1.0
    for optimizer in optimizers:
        optimizer.scale(scale)


def average_targets(config: OffPolicy, pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
    """Let target weights that are averages follow, given as (target, source)."""
    if isinstance(config.target, SmoothTarget):
        for target, source in pairs:
            rate = config.target.tau
            target.copy_(equations.polyak_average(target, source, rate))


def copy_targets(
    config: OffPolicy, pairs: Sequence[tuple[Tensor, Tensor]], *, index: int
) -> None:
    """Copy target weights that are copies, given as (target, source), if it is time."""
    every = isinstance(config.target, CopiedTarget) and config.target.copy_every
    if every and (index + 1) % every == 0:
        for target, source in pairs:
            target.copy_(source)


def learnable(weights: Tensor) -> Tensor:
    """The same weights, as a leaf that gradients are taken with respect to."""
    return weights.detach().requires_grad_()
