"""The settings of every learner, and their union: what `algorithms` may say.

Each kind knows its title, its colour and the class that learns by it, so that a new one
is a class here and a file beside.
"""

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeAlias,
    assert_never,
)

from pydantic import Discriminator, Field, PositiveInt, Tag, field_validator
from pydantic_core import PydanticCustomError

from pipeline.core.config.learner import (
    FixedTemperature,
    Learner,
    NoiseSet,
    OffPolicy,
    Temperature,
)
from pipeline.core.config.values import (
    Fraction,
    LearningRate,
    PerMemberPositive,
    Value,
    either,
)

if TYPE_CHECKING:  # whoever reads settings needs no torch
    from pipeline.core.agents.base import Agent
    from pipeline.core.agents.setting import Setting


class Particles(Value):
    """Sampled actions per state in the Stein update of SQL (Eq. 13)."""

    states: PositiveInt
    """States of each batch at which the sampler learns."""
    fixed: Annotated[int, Field(ge=2)]
    updated: PositiveInt


class Sql(OffPolicy):
    """Soft Q-learning with the amortised Stein sampler (Haarnoja et al. 2017)."""

    title: ClassVar[str] = "SQL"
    colour: ClassVar[str] = "#0066AA"

    kind: Literal["sql"]
    temperature: FixedTemperature
    critics: PositiveInt
    """Networks whose mean is the soft Q-function. Each learns from the same targets;
    the mean has a share of the variance that one of them has."""
    value_particles: PositiveInt
    """Actions per state in the soft value (Eq. 10)."""
    value_points: Literal["lattice", "random", "policy"]
    """`lattice`: they are uniform, a randomly shifted lattice; `random`: uniform and
    independent; `policy`: the sampler's own, weighted by its density."""
    particles: Particles
    candidates: PositiveInt
    """Draws of the sampler of which every action is one, chosen by importance."""
    noise_set: NoiseSet | None = None
    """What the sampler draws with; without it, all noise there is."""

    @field_validator("noise_set")
    @classmethod
    def _drawn_once(cls, noise_set: NoiseSet | None, info: Any) -> NoiseSet | None:
        if noise_set is not None and info.data.get("candidates", 1) > 1:
            raise PydanticCustomError(
                "noise_set",
                "needs candidates: 1, as draws from a few vectors have no density to "
                "choose by",
            )
        return noise_set

    @field_validator("particles")
    @classmethod
    def _of_the_batch(cls, particles: Particles, info: Any) -> Particles:
        batch = info.data.get("batch", particles.states)
        if particles.states > batch:
            raise PydanticCustomError(
                "particles",
                "needs no more states than the batch of {batch} has, found {states}",
                {"batch": batch, "states": particles.states},
            )
        return particles

    @property
    def networks(self) -> str:
        return f"{super().networks} with critics: {self.critics}"

    @staticmethod
    def population(configs: Sequence[Any], setting: "Setting") -> "Agent":
        """Learners with these settings, one for each member."""
        from pipeline.core.agents.sql import SoftQLearning

        return SoftQLearning(configs, setting)


class Sac(OffPolicy):
    """Soft actor-critic with two critics (Haarnoja et al. 2018, 2019)."""

    title: ClassVar[str] = "SAC"
    colour: ClassVar[str] = "#E0701A"

    kind: Literal["sac"]
    temperature: Temperature
    value: Literal["network", "critics"]
    """`network`: a value network has the target (2018); `critics`: the critics do."""

    @property
    def networks(self) -> str:
        return f"{super().networks} with value: {self.value}"

    @staticmethod
    def population(configs: Sequence[Any], setting: "Setting") -> "Agent":
        """Learners with these settings, one for each member."""
        from pipeline.core.agents.sac import SoftActorCritic

        return SoftActorCritic(configs, setting)


class OrnsteinUhlenbeck(Value):
    """Noise xₜ₊₁ = xₜ - θ xₜ + σ ε with ε ~ N(0, I), from x = 0 at every start."""

    theta: Fraction
    sigma: PerMemberPositive


class Gaussian(Value):
    """Independent noise σ ε with ε ~ N(0, I)."""

    sigma: PerMemberPositive


class OrnsteinUhlenbeckNoise(Value):
    """Exploration by noise that is correlated in time."""

    ornstein_uhlenbeck: OrnsteinUhlenbeck


class GaussianNoise(Value):
    """Exploration by noise that is independent in time."""

    gaussian: Gaussian


Noise = Annotated[
    Annotated[OrnsteinUhlenbeckNoise, Tag("ornstein_uhlenbeck")]
    | Annotated[GaussianNoise, Tag("gaussian")],
    either("ornstein_uhlenbeck", "gaussian"),
]


class Ddpg(OffPolicy):
    """Deep deterministic policy gradient (Lillicrap et al. 2016)."""

    title: ClassVar[str] = "DDPG"
    colour: ClassVar[str] = "#4D4D4D"

    kind: Literal["ddpg"]
    noise: Noise

    @property
    def sigma(self) -> float:
        """σ of the noise, whichever it is."""
        match self.noise:
            case OrnsteinUhlenbeckNoise(ornstein_uhlenbeck=settings):
                return settings.sigma
            case GaussianNoise(gaussian=settings):
                return settings.sigma
            case _:
                assert_never(self.noise)

    @staticmethod
    def population(configs: Sequence[Any], setting: "Setting") -> "Agent":
        """Learners with these settings, one for each member."""
        from pipeline.core.agents.ddpg import DeepDeterministicPolicyGradient

        return DeepDeterministicPolicyGradient(configs, setting)


class ValueNetwork(Value):
    """A network that is fitted to the soft returns of each rollout."""

    learning_rate: LearningRate
    steps: PositiveInt
    """Of gradient descent on each rollout."""


class ValueBaseline(Value):
    """The value network is the baseline, and what a cut episode is continued by."""

    value_network: ValueNetwork


def _baseline_kind(value: Any) -> str | None:
    if isinstance(value, dict | ValueBaseline):
        return "value_network"
    return "none" if value == "none" else None


Baseline = Annotated[
    Annotated[Literal["none"], Tag("none")]
    | Annotated[ValueBaseline, Tag("value_network")],
    Discriminator(
        _baseline_kind,
        custom_error_type="variant",
        custom_error_message="must be none or {value_network: …}",
    ),
]


class Reinforce(Learner):
    """Entropy-regularised REINFORCE: the soft policy gradient from fresh rollouts."""

    title: ClassVar[str] = "REINFORCE"
    colour: ClassVar[str] = "#7A3E9D"
    waits_for: ClassVar[str] = "steps_per_update"

    kind: Literal["reinforce"]
    temperature: FixedTemperature
    learning_rate: LearningRate
    """Of the policy, which makes one step for each rollout."""
    steps_per_update: Annotated[int, Field(ge=2)]
    """Environment steps of a rollout: of every member, with one policy."""
    credit: Literal["reward_to_go", "whole_return"]
    """`reward_to_go`: an action is credited with what follows it; `whole_return`: also
    with what came before it in its episode, which adds nothing but variance."""
    baseline: Baseline

    @property
    def waiting(self) -> int:
        """Environment steps after which nothing has been learned yet."""
        return self.steps_per_update - 1

    def updates(self, steps: int) -> int:
        """How many updates a training of so many environment steps makes."""
        return steps // self.steps_per_update

    @property
    def networks(self) -> str:
        kind = "none" if self.baseline == "none" else "value_network"
        return f"{super().networks} with baseline: {kind}"

    @staticmethod
    def population(configs: Sequence[Any], setting: "Setting") -> "Agent":
        """Learners with these settings, one for each member."""
        from pipeline.core.agents.reinforce import SoftPolicyGradient

        return SoftPolicyGradient(configs, setting)


Algorithm: TypeAlias = Annotated[Sql | Sac | Ddpg | Reinforce, Discriminator("kind")]
