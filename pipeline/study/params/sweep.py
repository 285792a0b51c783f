"""What may be written in `params.yaml` about the search before the study."""

from typing import Annotated, ClassVar

from pydantic import NonNegativeInt, PositiveInt, Tag

from pipeline.core.config.values import Positive, Value, either
from pipeline.study.params.seeds import Name, Seed, Steps, SweepSeeds


class LogUniform(Value):
    """Numbers between two bounds, every factor equally likely."""

    log_uniform: tuple[Positive, Positive]
    log: ClassVar[bool] = True

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.log_uniform


class Uniform(Value):
    """Numbers between two bounds, every difference equally likely."""

    uniform: tuple[float, float]
    log: ClassVar[bool] = False

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.uniform


Range = Annotated[
    Annotated[LogUniform, Tag("log_uniform")] | Annotated[Uniform, Tag("uniform")],
    either("log_uniform", "uniform"),
]


class Budget(Value):
    """What every algorithm may spend on a task before it is judged there."""

    batches: NonNegativeInt
    """0: no search; the numbers written under `algorithms` are used."""
    trials_per_batch: PositiveInt
    steps: Steps
    """Environment steps of every seed of a trial."""


class SweepRun(Value):
    """The search for one algorithm's numbers."""

    task: str
    space: dict[str, Range]
    """Dotted names of the algorithm's numbers."""


class Sweep(Value):
    """The search before the study, on seeds that the study does not use."""

    seed: Seed
    seeds: SweepSeeds
    random_trials: NonNegativeInt
    """Complete trials before they guide the search; until then it is random."""
    budgets: dict[Name, Budget]
    runs: dict[Name, SweepRun]
