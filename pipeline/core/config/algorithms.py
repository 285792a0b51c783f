"""What an algorithm is made of."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PositiveInt, Tag

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
    """A temperature α that is held, after having been annealed if so wished."""

    fixed: PerMemberPositive
    annealing: Annealing | None = None


class TunedTemperature(Value):
    """A temperature α that descends the dual of an entropy constraint (SAC 2019)."""

    target_entropy_per_dim: PerMemberNumber
    """Entropy floor H̄ divided by the action dimension, in nats."""
    initial: PerMemberPositive
    learning_rate: LearningRate


Temperature = Annotated[
    Annotated[FixedTemperature, Tag("fixed")]
    | Annotated[TunedTemperature, Tag("target_entropy_per_dim")],
    either("fixed", "target_entropy_per_dim"),
]


class SmoothTarget(Value):
    """Target weights follow: θ̄ ← θ̄ + τ (θ - θ̄) at every update."""

    tau: Fraction


class CopiedTarget(Value):
    """Target weights are copied every so many updates."""

    copy_every: PositiveInt


Target = Annotated[
    Annotated[SmoothTarget, Tag("tau")] | Annotated[CopiedTarget, Tag("copy_every")],
    either("tau", "copy_every"),
]


class ActorCriticRates(Value):
    """Step sizes of Adam."""

    q: LearningRate
    policy: LearningRate
    constant: Annotated[float, Field(ge=0, le=1)]
    """Share of a run's updates before the step sizes begin to fall, linearly, to 0 at
    the last one; 1.0: they never fall."""


class Particles(Value):
    """Sampled actions per state in the Stein update of SQL (Eq. 13)."""

    states: PositiveInt
    """States of each batch at which the sampler learns."""
    fixed: Annotated[int, Field(ge=2)]
    updated: PositiveInt


class Learner(Value):
    """What every learner needs."""

    hidden: Widths
    """Widths of the hidden layers of every network."""


class OffPolicy(Learner):
    """What every learner from replayed experience needs."""

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


class Sql(OffPolicy):
    """Soft Q-learning with the amortised Stein sampler (Haarnoja et al. 2017)."""

    kind: Literal["sql"]
    temperature: FixedTemperature
    critics: PositiveInt
    """Networks whose mean is the soft Q-function. Each learns from the same targets;
    the mean has a share of the variance that one of them has."""
    value_particles: PositiveInt
    """Uniform actions per state in the soft value (Eq. 10)."""
    value_points: Literal["lattice", "random"]
    """Whether these are a randomly shifted lattice or independent of each other."""
    particles: Particles
    candidates: PositiveInt
    """Draws of the sampler of which every action is one, chosen by importance."""


class Sac(OffPolicy):
    """Soft actor-critic with two critics (Haarnoja et al. 2018, 2019)."""

    kind: Literal["sac"]
    temperature: Temperature
    value: Literal["network", "critics"]
    """`network`: a value network has the target (2018); `critics`: the critics do."""


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

    kind: Literal["ddpg"]
    noise: Noise


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


Algorithm = Annotated[Sql | Sac | Ddpg | Reinforce, Discriminator("kind")]
