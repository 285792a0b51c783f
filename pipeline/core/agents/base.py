"""What every learner offers, for a whole population at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core.agents.shapes import Action, Actions, Numbers, State, States, Values
from pipeline.core.config.learner import OffPolicy, PeriodicTarget, SmoothTarget
from pipeline.core.equations import soft
from pipeline.core.memory.replay import Batch
from pipeline.core.population.noise import Noise
from pipeline.core.population.optimizer import Adam


@dataclass(frozen=True)
class Part:
    """Weights with the member axis first, and what belongs to them."""

    weights: Float[Tensor, "row ..."]
    adam: Adam | None = None
    """None: they do not learn."""
    target: Float[Tensor, "row ..."] | None = None
    """Those of the target network, if there is one."""
    networks: int | None = None
    """Rows of each member, if a member has several; None: a row is a member."""

    def by_member(self, rows: Tensor) -> Tensor:
        """Weights or target weights as `[member, network, weight]`, as a view."""
        if self.networks is None:
            return rows
        return rows.view(-1, self.networks, rows.shape[1])


class Agent(ABC):
    """A population of learners of one kind. Every tensor has the member axis first.

    One is made from a configuration per member, which may differ in numbers marked
    `PerMember`, and from what else the population is, a `Setting`. Actions are in
    [-1, 1]^d. Noise arrives from outside in `sample`, so that whoever evaluates
    chooses the stream; `act` and `update` draw from the members' own.
    """

    _parts: dict[str, Part]
    """Everything that is learned, by name."""
    _diagnostics: dict[str, Tensor]
    _exploration: Noise
    _sample_once: Callable[[States, Actions], Actions]
    """`sample`, or a program of it, for one state of each member."""

    def act(
        self, state: State, *, step: int, starting: Bool[Tensor, " member"]
    ) -> Action:
        """Actions for gathering experience: draws from the policy, if no others.

        `step`, counted from 0, says which noise is used; `starting`, where an episode
        begins.
        """
        noise = self._exploration.at(step)
        return self._sample_once(state[:, None], noise[:, None]).squeeze(1)

    @abstractmethod
    def sample(self, state: States, noise: Actions) -> Actions:
        """Actions of the policy as learned; `noise` is N(0, I)."""

    @abstractmethod
    def greedy(self, state: States) -> Actions:
        """The policy's best guess, without randomness."""

    @property
    @abstractmethod
    def temperature(self) -> Numbers | None:
        """Temperature α, in reward units per nat; None for a learner without one."""

    def soft_value(self, state: States, noise: Actions) -> Values | None:
        """What the learner believes V(s) to be, from one draw per state.

        In reward units; None for a learner without a soft value, or one whose soft
        value is an integral of Q (`EnergyPolicy`).
        """
        return None

    def diagnostics(self) -> dict[str, Numbers]:
        """Quantities of the last update; `docs/metrics.md` defines each."""
        return self._diagnostics

    def networks(self) -> dict[str, Tensor]:
        """The weights that make the policy and its values, changed in place.

        `X_target` is the target network of `X`.
        """
        named = {}
        for name, part in self._parts.items():
            named[name] = part.by_member(part.weights)
            if part.target is not None:
                named[f"{name}_target"] = part.by_member(part.target)
        return named

    @property
    def device(self) -> torch.device:
        """Where it expects tensors, and returns them."""
        return next(iter(self.networks().values())).device

    def optimizers(self) -> dict[str, Adam]:
        """One optimiser for each network that learns."""
        named = {name: part.adam for name, part in self._parts.items()}
        return {name: adam for name, adam in named.items() if adam is not None}

    @abstractmethod
    def follow_schedules(self, progress: float) -> None:
        """Set step sizes, temperature and noise to what a share of the updates asks.

        `progress` is updates made so far over those of the whole run; 1 after the last.
        """

    def exploration_state(self) -> dict[str, Tensor]:
        """What exploration carries from step to step: a policy's own noise, nothing."""
        return {}

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

    _config: OffPolicy

    @abstractmethod
    def q(self, state: States, action: Actions) -> Values:
        """Q(s, a), in reward units."""

    @abstractmethod
    def update(self, batch: Batch, *, index: int) -> None:
        """Learn from one batch; `index` counts updates from 0 and chooses the noise."""

    def follow_schedules(self, progress: float) -> None:
        """Step sizes; a temperature adds its own."""
        constant = self._config.learning_rate.constant
        scale_learning_rates(self.optimizers().values(), constant, progress=progress)

    def _targets(self) -> list[tuple[Tensor, Tensor]]:
        """(target, source) of every network that has a target network."""
        return [
            (part.target, part.weights)
            for part in self._parts.values()
            if part.target is not None
        ]

    def _average_targets(self) -> None:
        """Let target weights that are averages follow."""
        if isinstance(self._config.target, SmoothTarget):
            for target, source in self._targets():
                rate = self._config.target.tau
                target.copy_(soft.polyak_average(target, source, rate))

    def _update_targets(self, *, index: int) -> None:
        """Update target networks that no average updates, if it is time."""
        target = self._config.target
        if (
            isinstance(target, PeriodicTarget)
            and (index + 1) % target.update_every == 0
        ):
            for weights, source in self._targets():
                weights.copy_(source)


def scale_learning_rates(
    optimizers: Iterable[Adam], constant: float, *, progress: float
) -> None:
    """Hold the step sizes at first, then let them fall on a line that ends at 0.

    They fall after the share `constant` of the run's updates; `progress` is the share
    made so far, in [0, 1].
    """
    falling = progress > constant
    scale = (1 - progress) / (1 - constant) if falling else 1.0
    for optimizer in optimizers:
        optimizer.scale(scale)
