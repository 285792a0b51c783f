"""What may be written in `params.yaml` about the search before the study."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, NonNegativeInt, PositiveInt, Tag

from pipeline.core.config.values import Value, either
from pipeline.study.params.ranges import Range
from pipeline.study.params.salvage import StandIn
from pipeline.study.params.seeds import FreshSeeds, Name, Seed, Steps, SweepSeeds


class TpeSettings(Value):
    """Where good trials are dense and bad ones are not."""

    startup_trials: NonNegativeInt
    """Trials with a result, complete or pruned, before those guide the search; until
    then it is random."""
    candidates: PositiveInt
    """Points that are compared for every trial."""


class Tpe(Value):
    """Optuna's tree-structured Parzen estimator, over all dimensions together."""

    tpe: TpeSettings


class GpSettings(Value):
    """Where a Gaussian process expects the most improvement."""

    startup_trials: NonNegativeInt
    """Trials with a result before those guide the search; until then it is random."""


class Gp(Value):
    """Optuna's Gaussian process, for spaces without conditions."""

    gp: GpSettings


class QmcSettings(Value):
    """Which points cover the space evenly."""

    sequence: Literal["sobol", "halton"]


class Qmc(Value):
    """A scrambled low-discrepancy sequence."""

    qmc: QmcSettings


class Random(Value):
    """Independent draws."""

    random: "Nothing"


class Grid(Value):
    """Every setting of a finite space once, in an order that is drawn."""

    grid: "Nothing"


class Nothing(Value):
    """There is nothing to set: `{}`."""


Sampler = Annotated[
    Annotated[Tpe, Tag("tpe")]
    | Annotated[Gp, Tag("gp")]
    | Annotated[Qmc, Tag("qmc")]
    | Annotated[Random, Tag("random")]
    | Annotated[Grid, Tag("grid")],
    either("tpe", "gp", "qmc", "random", "grid"),
    StandIn({"random": {}}),
]

Statistic = Literal["iqm", "mean", "median", "worst"]


class PercentileSettings(Value):
    """Which trials end early."""

    percentile: Annotated[float, Field(gt=0, lt=100)]
    """A trial whose best evaluation so far is below this percentile of what complete
    trials had at the same step is pruned; 50: below their median."""
    startup_trials: PositiveInt
    """Complete trials before any is pruned."""
    warmup_steps: NonNegativeInt
    """Environment steps of every trial before it may be pruned."""


def _pruning(value: object) -> str | None:
    if isinstance(value, dict | PercentileSettings):
        return "settings"
    return "none" if value == "none" else None


Pruning = Annotated[
    Annotated[Literal["none"], Tag("none")]
    | Annotated[PercentileSettings, Tag("settings")],
    Discriminator(
        _pruning,
        custom_error_type="variant",
        custom_error_message="must be none or {percentile: …}",
    ),
    StandIn("none"),
]


class Budget(Value):
    """What every algorithm may spend on a task before it is judged there."""

    trials: NonNegativeInt
    """0: no search; the numbers written under `algorithms` are used."""
    steps: Steps
    """Environment steps of every seed of a trial."""


class SweepRun(Value):
    """The search for one algorithm's settings."""

    task: str
    space: dict[str, Range] = Field(default_factory=dict)
    """Dotted names of the algorithm's settings; without any, nothing is searched."""


class Search(Value):
    """How settings are searched, on seeds that the study does not use."""

    seed: Seed
    seeds: SweepSeeds
    """Of every trial."""
    fresh_seeds: FreshSeeds
    """On which the best trial is trained once more: what the best of many is worth."""
    statistic: Statistic
    """Of a trial's seeds: by which trials are compared."""
    sampler: Sampler
    pruning: Pruning
    lag: Annotated[NonNegativeInt, StandIn(2**62)]
    """What is tried next depends on all trials before it but the last `lag` ones, so
    that `lag` + 1 may be trained at the same time."""


class Sweep(Value):
    """The search before the study, and algorithms whose settings are as written."""

    search: Search | None = None
    budgets: dict[Name, Budget] = Field(default_factory=dict)
    """By task; where there is none, nothing is searched."""
    runs: dict[Name, SweepRun]
