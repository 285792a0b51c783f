"""What may be written in `params.yaml`: the study around the tasks and algorithms.

Tasks and algorithms themselves are in `pipeline.core.tasks` and `pipeline.core.agents`.
A block that a study does not use need not be written.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field, PositiveInt, field_validator

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Execution
from pipeline.core.config.values import Positive, Value, parsed
from pipeline.core.tasks.multigoal.settings import Perturbation
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.navigation.world import World
from pipeline.core.tasks.settings import Task
from pipeline.study.params.exact import (
    Compose,
    ComposedRun,
    Exact,
    OracleSettings,
    Robustness,
    Score,
    Theorems,
)
from pipeline.study.params.seeds import Name, Seed, Steps, StudySeeds
from pipeline.study.params.space import Space
from pipeline.study.params.sweep import Sweep
from pipeline.study.store.files import read_json
from pipeline.study.store.layout import STAGES, STUDY, StageName, readable


class Identity(Value):
    """What the study is called and which seeds every run trains."""

    name: Name
    """Also the name of its experiment in MLflow."""
    seeds: StudySeeds


class AnyRun(Value):
    """One algorithm on one task, with all seeds."""

    algorithm: str
    task: str
    temperature: Positive | None = None
    """Without it, the one that the algorithm's sweep found."""
    steps: Steps | None = None
    """Without it, those of its stage."""
    seeds: PositiveInt | None = None
    """So many, from the first of the study's on; without it, those of the study."""
    members_per_process: PositiveInt | None = None
    """Without it, that of `execution`: many seeds are cheaper side by side."""


class FreshRun(AnyRun):
    """From fresh networks."""

    start: ClassVar[None] = None


class StartedRun(AnyRun):
    """From the networks of a run of `pretrain`."""

    start: str


RunSettings: TypeAlias = FreshRun | StartedRun


class FreshRuns(Value):
    """A stage that trains from fresh networks."""

    steps: Steps
    """Environment steps of every seed, where a run does not have its own."""
    runs: dict[Name, FreshRun]


class StartedRuns(Value):
    """A stage that trains from pretrained networks."""

    steps: Steps
    """Environment steps of every seed, where a run does not have its own."""
    runs: dict[Name, StartedRun]


class Compare(Value):
    """The bootstrap over seeds, and what they are to reach."""

    seed: Seed
    resamples: PositiveInt
    confidence: Annotated[float, Field(gt=0, lt=1)]
    threshold_returns: dict[Name, float] = Field(default_factory=dict)
    """By task, in reward units; that of another task is derived from its runs."""

    @property
    def bootstrap(self) -> dict[str, Any]:
        """Its settings."""
        return self.model_dump(exclude={"threshold_returns"})


class Study(Value):
    """Everything that `params.yaml` describes."""

    study: Identity
    execution: Execution
    worlds: dict[Name, World] = Field(default_factory=dict)
    """What tasks of kind `navigation` are in."""
    tasks: dict[Name, Task]
    algorithms: dict[Name, Algorithm]
    sweep: Sweep
    explore: FreshRuns | None = None
    pretrain: FreshRuns | None = None
    finetune: StartedRuns | None = None
    scratch: FreshRuns | None = None
    theorems: Theorems | None = None
    exact: Exact | None = None
    score: Score | None = None
    compose: Compose | None = None
    compare: Compare

    @field_validator("tasks")
    @classmethod
    def _in_their_worlds(cls, tasks: dict[str, Task], info: Any) -> dict[str, Task]:
        worlds = info.data.get("worlds", {})
        return {
            name: task.within(worlds) if isinstance(task, Navigation) else task
            for name, task in tasks.items()
        }

    def runs(self, stage: StageName) -> Mapping[str, RunSettings]:
        """The runs of a stage that trains."""
        block: FreshRuns | StartedRuns | None = getattr(self, stage)
        return {} if block is None else block.runs

    def all_runs(self) -> Iterator[tuple[StageName, str, RunSettings]]:
        """Stage, name and settings of every run, in the order of the file."""
        for stage in STAGES:
            for name, run in self.runs(stage).items():
                yield stage, name, run

    def steps(self, stage: StageName, run: RunSettings) -> int:
        """Environment steps of a run: its own, or those of its stage."""
        block: FreshRuns | StartedRuns = getattr(self, stage)
        return run.steps or block.steps

    def seeds(self, run: RunSettings) -> tuple[int, ...]:
        """Seeds of a run: its own, or those of the study."""
        own = self.study.seeds
        return own if run.seeds is None else tuple(range(own[0], own[0] + run.seeds))

    def execution_of(self, run: RunSettings) -> Execution:
        """How a run is computed."""
        own = run.members_per_process
        changed = {} if own is None else {"members_per_process": own}
        return self.execution.model_copy(update=changed)

    def is_searched(self, algorithm: str) -> bool:
        """Whether an algorithm's numbers come from trials."""
        return bool(self.searched(algorithm))

    def searched(self, algorithm: str) -> Space:
        """What of an algorithm's settings is searched; none, if no trial may be."""
        run = self.sweep.runs.get(algorithm)
        budget = self.sweep.budgets.get(run.task) if run else None
        return run.space if run and budget and budget.trials else {}

    @property
    def oracles(self) -> Mapping[str, OracleSettings]:
        """Tasks to be solved exactly."""
        return {} if self.exact is None else self.exact.oracles

    @property
    def compositions(self) -> Mapping[str, ComposedRun]:
        """Samplers for two soft Q-functions together."""
        return {} if self.compose is None else self.compose.runs

    @property
    def own_files(self) -> Sequence[str]:
        """The user's own code that tasks are made of."""
        return sorted({file for task in self.tasks.values() for file in task.own_files})

    @property
    def robustness(self) -> Robustness:
        """How policies are tried in changed tasks, in a study that does so."""
        assert self.score is not None, "something was judged"
        return self.score.robustness

    @property
    def perturbations(self) -> Mapping[str, Perturbation]:
        """How tasks are changed at test time."""
        return {} if self.score is None else self.score.robustness.perturbations


def whole_study() -> Study:
    """The study that was checked.

    Raises:
        UserError: It is missing or damaged.
    """
    with readable(STUDY, "check"):
        study: Study = parsed(Study, read_json(STUDY))
    return study
