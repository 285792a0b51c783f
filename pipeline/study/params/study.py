"""What may be written in `params.yaml`: the study around the tasks and algorithms.

Tasks and algorithms themselves are in `pipeline.core.config`.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, get_args

from pydantic import Field, NonNegativeInt, PositiveInt, Tag

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Computation
from pipeline.core.config.values import Positive, Value, either
from pipeline.core.tasks.settings import Task
from pipeline.study.params.exact import Compose, Exact, Score, Theorems
from pipeline.study.params.names import Name

StageName: TypeAlias = Literal["explore", "pretrain", "finetune", "scratch"]
STAGES: Final[tuple[StageName, ...]] = get_args(StageName)
"""The stages that train, in the order of the file."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1)]
Confidence = Annotated[float, Field(gt=0, lt=1)]


class Identity(Value):
    """What the study is called and which seeds every run trains."""

    name: Name
    """Also the name of its experiment in MLflow."""
    seeds: Seeds


class Execution(Computation):
    """What about the computation can change a number in its last digits."""

    threads: PositiveInt
    """Torch threads of each process."""
    members_per_process: PositiveInt
    """Size of the chunks that a population is cut into."""

    @property
    def computation(self) -> Computation:
        """What of it a learner has to know."""
        fields = Computation.model_fields
        return Computation(**{name: getattr(self, name) for name in fields})


# ------------------------------------------------------------------------ sweep


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
    steps: PositiveInt
    """Environment steps of every seed of a trial."""


class SweepRun(Value):
    """The search for one algorithm's numbers."""

    task: str
    space: dict[str, Range]
    """Dotted names of the algorithm's numbers."""


class Sweep(Value):
    """The search before the study, on seeds that the study does not use."""

    seed: Seed
    seeds: Seeds
    budgets: dict[Name, Budget]
    runs: dict[Name, SweepRun]


# ---------------------------------------------------------------------- training


class FreshRun(Value):
    """One algorithm on one task, from fresh networks, with all seeds."""

    algorithm: str
    task: str
    temperature: Positive | None = None
    """Without it, the one that the algorithm's sweep found."""
    steps: PositiveInt | None = None
    """Without it, those of its stage."""
    start: ClassVar[None] = None


class StartedRun(Value):
    """One algorithm on one task, from the networks of a run of `pretrain`."""

    algorithm: str
    task: str
    temperature: Positive | None = None
    """Without it, the one that the algorithm's sweep found."""
    steps: PositiveInt | None = None
    """Without it, those of its stage."""
    start: str


RunSettings: TypeAlias = FreshRun | StartedRun


class FreshRuns(Value):
    """A stage that trains from fresh networks."""

    steps: PositiveInt
    """Environment steps of every seed, where a run does not have its own."""
    runs: dict[Name, FreshRun]


class StartedRuns(Value):
    """A stage that trains from pretrained networks."""

    steps: PositiveInt
    """Environment steps of every seed, where a run does not have its own."""
    runs: dict[Name, StartedRun]


class Compare(Value):
    """The bootstrap over seeds."""

    seed: Seed
    resamples: PositiveInt
    confidence: Confidence


class Study(Value):
    """Everything that `params.yaml` describes."""

    study: Identity
    execution: Execution
    tasks: dict[Name, Task]
    algorithms: dict[Name, Algorithm]
    sweep: Sweep
    explore: FreshRuns
    pretrain: FreshRuns
    finetune: StartedRuns
    scratch: FreshRuns
    theorems: Theorems
    exact: Exact
    score: Score
    compose: Compose
    compare: Compare

    def stage(self, name: StageName) -> FreshRuns | StartedRuns:
        """The block of a stage that trains."""
        match name:
            case "explore":
                return self.explore
            case "pretrain":
                return self.pretrain
            case "finetune":
                return self.finetune
            case "scratch":
                return self.scratch

    def stages(self) -> Iterator[tuple[StageName, FreshRuns | StartedRuns]]:
        """The stages that train, in the order of the file."""
        for name in STAGES:
            yield name, self.stage(name)
