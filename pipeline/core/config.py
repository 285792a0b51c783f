"""What a task and an algorithm are made of: the scientific half of `params.yaml`.

Every field that can change a number is written by the user; none has a default here,
except that a Gymnasium environment may bring its own time limit.
Impossible settings cannot be written: unions are discriminated, unknown keys are
errors, and nothing changes after reading. This module imports no torch, so that a
mistake is answered quickly.

Units: rewards and values in reward units, entropies in nats, temperatures in reward
units per nat, times in environment steps. Actions are in [-1, 1]^d.
"""

from typing import Annotated, Any, Literal, assert_never, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
)


class Value(BaseModel):
    """A value object: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class PerMember:
    """Marks a number that may differ between the members of one population.

    These are the numbers that a sweep may search over.
    """


Positive = Annotated[float, Field(gt=0)]
PerMemberPositive = Annotated[float, Field(gt=0), PerMember]
PerMemberNumber = Annotated[float, PerMember]
LearningRate = Annotated[float, Field(gt=0, le=1), PerMember]
Fraction = Annotated[float, Field(gt=0, le=1)]
Discount = Annotated[float, Field(gt=0, lt=1)]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


def either(*names: str) -> Discriminator:
    """Choose a union's variant by the one key that only this variant has."""

    def chosen(value: Any) -> str | None:
        if isinstance(value, dict):
            return next((name for name in names if name in value), None)
        return next((name for name in names if hasattr(value, name)), None)

    expected = " or ".join(f"{{{name}: …}}" for name in names)
    return Discriminator(
        chosen,
        custom_error_type="variant",
        custom_error_message=f"must be {expected}",
    )


# ------------------------------------------------------------------------ tasks


class Evaluation(Value):
    """How a policy is judged, apart from the steps it learns from."""

    every: PositiveInt
    """Environment steps of training between two evaluations."""
    episodes: PositiveInt
    """Episodes of each evaluation during training."""
    final_episodes: PositiveInt
    """Episodes of the evaluation after the last step."""
    policy: Literal["sample", "greedy"]
    """Whether actions are drawn from the policy or are its best guess."""


class MultiGoal(Value):
    """A point in the plane and four goals that are equally good."""

    kind: Literal["multigoal"]
    horizon: PositiveInt
    discount: Discount
    objective: Literal["multi_goal_score", "goals_reached", "goal_entropy", "return"]
    evaluation: Evaluation


class Locomotion(Value):
    """A MuJoCo body rewarded for the motion of its centre of mass."""

    kind: Literal["locomotion"]
    body: Literal["swimmer"]
    reward: Literal["speed", "forward"]
    """`speed`: in any direction of the plane; `forward`: along x."""
    horizon: PositiveInt
    discount: Discount
    objective: Literal["return", "distance", "forward_distance", "direction_spread"]
    evaluation: Evaluation


class Gymnasium(Value):
    """Any environment that Gymnasium knows, with box observations and actions."""

    kind: Literal["gymnasium"]
    id: str
    horizon: PositiveInt | None = None
    """Without it, the limit that the environment was registered with."""
    discount: Discount
    objective: Literal["return"]
    evaluation: Evaluation


Task = Annotated[MultiGoal | Locomotion | Gymnasium, Discriminator("kind")]

# ------------------------------------------------------------------- algorithms


class FixedTemperature(Value):
    """A temperature α that is held."""

    fixed: PerMemberPositive


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


class Particles(Value):
    """Sampled actions per state in the Stein update of SQL (Eq. 13)."""

    fixed: Annotated[int, Field(ge=2)]
    updated: PositiveInt


class OffPolicy(Value):
    """What every learner from replayed experience needs."""

    hidden: Widths
    """Widths of the hidden layers of every network."""
    learning_rate: ActorCriticRates
    batch: PositiveInt
    replay: PositiveInt
    """Transitions kept per member; the oldest goes first."""
    warmup: PositiveInt
    """Steps before the first update. Actions are drawn uniformly, or from the policy
    where a run starts from pretrained networks."""
    updates_per_step: PositiveInt
    target: Target


class Sql(OffPolicy):
    """Soft Q-learning with the amortised Stein sampler (Haarnoja et al. 2017)."""

    kind: Literal["sql"]
    temperature: FixedTemperature
    value_particles: PositiveInt
    """Uniform actions per state in the soft value (Eq. 10)."""
    particles: Particles


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


Algorithm = Annotated[Sql | Sac | Ddpg, Discriminator("kind")]


def with_temperature(algorithm: Sql | Sac | Ddpg, temperature: float) -> Sql | Sac:
    """The same learner with its temperature held at a given α.

    Raises:
        ValueError: The learner has no temperature.
    """
    match algorithm:
        case Sql() | Sac():
            return algorithm.model_copy(
                update={"temperature": FixedTemperature(fixed=temperature)}
            )
        case Ddpg():
            raise ValueError("ddpg has no temperature")
        case _:
            assert_never(algorithm)


def with_values(
    algorithm: Sql | Sac | Ddpg, values: dict[str, float]
) -> Sql | Sac | Ddpg:
    """The same learner with some numbers replaced, given by dotted names."""
    data = algorithm.model_dump(mode="json")
    for name, value in values.items():
        *path, last = name.split(".")
        part = data
        for step in path:
            part = part[step]
        if last not in part:
            raise KeyError(name)
        part[last] = value
    return type(algorithm).model_validate(data, strict=False)


def values_of(model: Value, prefix: str = "") -> dict[str, float]:
    """The numbers that may differ between members, by dotted name."""
    values: dict[str, float] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, Value):
            values |= values_of(value, f"{prefix}{name}.")
        elif PerMember in field.metadata or PerMember in get_args(field.annotation):
            values[f"{prefix}{name}"] = value
    return values


def sweepable(model: Value) -> list[str]:
    """Dotted names of the numbers that a sweep may search over."""
    return list(values_of(model))
