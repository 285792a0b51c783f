"""What settings of learners are made of: temperatures, targets, rates, bases."""

from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from pydantic import Field, PositiveInt, Tag

from pipeline.core.config.values import (
    Fraction,
    LearningRate,
    PerMemberNumber,
    PerMemberPositive,
    Positive,
    Value,
    Widths,
    either,
)


class Annealing(Value):
    """A higher temperature at first, so that every way is tried before one is chosen.

    α falls from `temperature` to the learner's own, by equal factors in equal times,
    during the first `share` of a run's updates.
    """

    temperature: Positive
    """What α begins with, where it is more than the learner's own."""
    share: Fraction


class FixedTemperature(Value):
    """A fixed temperature α, after having been annealed if so wished."""

    fixed: PerMemberPositive
    annealing: Annealing | None = None


class AutomaticTemperature(Value):
    """A temperature α that descends the dual of an entropy constraint (SAC 2019)."""

    target_entropy_per_dim: PerMemberNumber
    """Entropy floor H̄ divided by the action dimension, in nats."""
    initial: PerMemberPositive
    learning_rate: LearningRate


Temperature = Annotated[
    Annotated[FixedTemperature, Tag("fixed")]
    | Annotated[AutomaticTemperature, Tag("target_entropy_per_dim")],
    either("fixed", "target_entropy_per_dim"),
]


class NoiseSet(Value):
    """Fewer and fewer vectors of noise, so that a policy becomes deterministic.

    How many may be used falls linearly from `size` to 1 during the first `share` of a
    run's updates.
    """

    size: Annotated[int, Field(ge=2)]
    share: Fraction


class SmoothTarget(Value):
    """Target weights follow: θ̄ ← θ̄ + τ (θ - θ̄) at every update."""

    tau: Fraction


class PeriodicTarget(Value):
    """Target weights become those of the network every so many updates."""

    update_every: PositiveInt


Target = Annotated[
    Annotated[SmoothTarget, Tag("tau")]
    | Annotated[PeriodicTarget, Tag("update_every")],
    either("tau", "update_every"),
]


class ActorCriticRates(Value):
    """Step sizes of Adam."""

    q: LearningRate
    policy: LearningRate
    constant: Annotated[float, Field(ge=0, le=1)]
    """Share of a run's updates before the step sizes begin to fall, linearly, to 0 at
    the last one; 1.0: they never fall."""


Own = TypeVar("Own", bound="Learner")


class Learner(Value):
    """What every learner needs; each kind says what is particular about it."""

    hidden: Widths
    """Widths of the hidden layers of every network."""
    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """What the file calls it."""

    title: ClassVar[str]
    """What figures and tables call it."""
    colour: ClassVar[str]
    """In every figure, as `#RRGGBB`."""
    waits_for: ClassVar[str]
    """The setting that says how long nothing is learned."""

    @classmethod
    def has_temperature(cls) -> bool:
        """Whether the learner is of maximum entropy."""
        return "temperature" in cls.model_fields

    @property
    def fixed_temperature(self) -> float | None:
        """α in reward units per nat, if there is one and it is fixed."""
        temperature = getattr(self, "temperature", None)
        return temperature.fixed if isinstance(temperature, FixedTemperature) else None

    def with_temperature(self: Own, temperature: float) -> Own:
        """The same learner with a fixed α.

        Raises:
            ValueError: The learner has no temperature.
        """
        if not self.has_temperature():
            raise ValueError(f"{self.kind} has no temperature")
        annealing = getattr(self.temperature, "annealing", None)  # type: ignore[attr-defined]
        fixed = FixedTemperature(fixed=temperature, annealing=annealing)
        return self.model_copy(update={"temperature": fixed})

    @property
    def networks(self) -> str:
        """Which networks it trains, in words: equal for those that fit each other."""
        widths = ", ".join(map(str, self.hidden))
        return f"{self.kind} networks of hidden: [{widths}]"


class OffPolicy(Learner):
    """What every learner from replayed experience needs."""

    waits_for: ClassVar[str] = "warmup"

    learning_rate: ActorCriticRates
    batch: PositiveInt
    replay: PositiveInt
    """Transitions kept per member; the oldest goes first."""
    warmup: PositiveInt
    """Steps before the first update. Actions are drawn uniformly, or from the policy
    where a run starts from pretrained networks."""
    updates_per_step: PositiveInt
    target: Target

    @property
    def waiting(self) -> int:
        """Environment steps after which nothing has been learned yet."""
        return self.warmup

    def updates(self, steps: int) -> int:
        """How many updates a training of so many environment steps makes."""
        return max(0, steps - self.warmup) * self.updates_per_step
