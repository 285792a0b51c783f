"""The finished runs of a study, read from `results/runs` for whoever judges them."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from safetensors.numpy import load_file

from pipeline.core.agents.settings import Algorithm, Ddpg
from pipeline.core.config.learner import FixedTemperature
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.tasks.settings import Task
from pipeline.study.errors import UserError
from pipeline.study.params import STAGES, RunSettings, StageName, Study
from pipeline.study.store.files import read_json, read_table
from pipeline.study.store.layout import RUNS, instance, readable

Floats: TypeAlias = npt.NDArray[np.float64]

SAME: float = 1e-5
"""How far apart, relatively, two numbers for one temperature may be."""


def same_temperature(one: float | None, other: float | None) -> bool:
    """Whether two temperatures are one, or both are none."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SAME)


ALGORITHM: Final = TypeAdapter[Algorithm](Algorithm)


@dataclass(frozen=True)
class Curve:
    """A metric in the course of training."""

    steps: npt.NDArray[np.int64]
    """Environment steps of each member at which the metric was measured."""
    values: Floats
    """`[step, seed]`; NaN where a seed has no number."""


@dataclass(frozen=True)
class Run:
    """One algorithm on one task from one starting point, on every seed."""

    folder: Path
    stage: StageName
    name: str
    task_name: str
    task: Task
    algorithm_name: str
    algorithm: Algorithm
    """As trained: what the sweep found is in it."""
    swept: bool
    """Whether a search chose the temperature."""
    start: str | None
    """The run of `pretrain` whose networks it began with."""
    steps: int
    seeds: tuple[int, ...]
    final: Mapping[str, Floats]
    """Metric to one number per seed, of the evaluation after training."""

    @property
    def label(self) -> str:
        """What tells the run from the others it is shown with."""
        return f"scratch/{self.name}" if self.stage == "scratch" else self.name

    @property
    def id(self) -> str:
        """What tells the run from all others."""
        return f"{self.stage}/{self.name}"

    @property
    def temperature(self) -> float | None:
        """α in reward units per nat, if there is one and it is held."""
        if isinstance(self.algorithm, Ddpg):
            return None
        temperature = self.algorithm.temperature
        return temperature.fixed if isinstance(temperature, FixedTemperature) else None

    @property
    def multigoal(self) -> MultiGoal:
        """The task of a run whose task has goals."""
        if not isinstance(self.task, MultiGoal):
            raise TypeError(f"{self.id} is on {self.task.kind}, which has no goals")
        return self.task

    @cached_property
    def _records(self) -> Mapping[str, Floats]:
        path = self.folder / "records.csv"
        with readable(path, instance(self.stage, self.name)):
            table = read_table(path)
            _ = table["seed"], table["step"]
        return table

    @property
    def measured(self) -> list[str]:
        """Metrics that were measured in the course of training."""
        return [name for name in self._records if name not in ("seed", "step")]

    def curve(self, metric: str) -> Curve:
        """A metric of `records.csv`, at the steps where any seed has a number."""
        table = self._records
        rows = np.isfinite(table[metric])
        steps = np.unique(table["step"][rows])
        values = np.full((len(steps), len(self.seeds)), np.nan)
        for column, seed in enumerate(self.seeds):
            own = rows & (table["seed"] == seed)
            at = np.searchsorted(steps, table["step"][own])
            values[at, column] = table[metric][own]
        return Curve(steps.astype(np.int64), values)

    def behaviour(self) -> dict[str, npt.NDArray[np.float32]]:
        """What was kept of the final evaluation; empty for a task without a plane."""
        path = self.folder / "behaviour.safetensors"
        if not path.exists():
            return {}
        with readable(path, instance(self.stage, self.name)):
            return load_file(path)


def load_runs(study: Study, root: Path = RUNS) -> list[Run]:
    """Every run of the study, in the order of `params.yaml`.

    Args:
        study: What should be there.
        root: Folder with `<stage>/<run>/`.

    Raises:
        UserError: A run or a seed is missing, is not of this study, or was trained for
            another number of steps.
    """
    expected = {f"{stage}/{name}" for stage, name, _ in _described(study)}
    expected |= {f"score/{name}" for name in study.explore.runs}
    expected |= {f"compose/{name}" for name in study.compose.runs}
    for folder in sorted(root.glob("*/*")):
        if folder.relative_to(root).as_posix() not in expected:
            raise UserError(
                f"{folder} is not a run of this study; "
                f"remove it (rm -r {folder}) or add it to params.yaml"
            )
    return [load_run(study, stage, name, root) for stage, name, _ in _described(study)]


def _described(study: Study) -> Iterator[tuple[StageName, str, RunSettings]]:
    """Stage, name and description of every run in `params.yaml`."""
    for stage in STAGES:
        for name, run in study.stage(stage).runs.items():
            yield stage, name, run


def load_run(study: Study, stage: StageName, name: str, root: Path = RUNS) -> Run:
    """One run of the study.

    Raises:
        UserError: As for `load_runs`.
    """
    folder, writer = root / stage / name, instance(stage, name)
    again = f"compute it again: dvc repro --force {writer}"
    with readable(folder / "run.json", writer):
        described = read_json(folder / "run.json")
        trained = int(described["steps"])
        # JSON, because strict pydantic takes a list for a tuple only from there.
        algorithm = ALGORITHM.validate_json(json.dumps(described["algorithm"]))
    with readable(folder / "final.csv", writer):
        table = read_table(folder / "final.csv")
        seeds = tuple(int(seed) for seed in table.pop("seed"))
    if set(seeds) != set(study.study.seeds):
        raise UserError(
            f"{folder} has seeds {list(seeds)}, the study {list(study.study.seeds)}; "
            f"{again}"
        )
    run = study.stage(stage).runs[name]
    steps = run.steps or study.stage(stage).steps
    if trained != steps:
        raise UserError(
            f"{folder} was trained for {trained} steps, the study says {steps}; {again}"
        )
    return Run(
        folder=folder,
        stage=stage,
        name=name,
        task_name=run.task,
        task=study.tasks[run.task],
        algorithm_name=run.algorithm,
        algorithm=algorithm,
        swept=run.temperature is None and _searched(study, run.algorithm),
        start=run.start,
        steps=steps,
        seeds=seeds,
        final=table,
    )


def _searched(study: Study, algorithm: str) -> bool:
    """Whether the algorithm's numbers come from trials."""
    sweep = study.sweep.runs.get(algorithm)
    return sweep is not None and study.sweep.budgets[sweep.task].batches > 0
