"""A run of the study: one algorithm on one task, what it is and what came out of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Execution
from pipeline.core.config.values import parsed
from pipeline.core.job import Array, Job, chunks
from pipeline.core.tasks.settings import Task
from pipeline.study.store import layout
from pipeline.study.store.files import read_csv, read_table

Floats: TypeAlias = npt.NDArray[np.float64]

SAME: float = 1e-5
"""How far apart, relatively, two numbers for one temperature may be."""


def same_temperature(one: float | None, other: float | None) -> bool:
    """Whether two temperatures are one, or both are none."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SAME)


def failures(run: "Run") -> str:
    """`1 of 10 seeds failed`, or nothing if none has."""
    count = len(run.failures)
    return f"{count} of {len(run.seeds)} seeds failed" if count else ""


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

    stage: layout.StageName
    name: str
    task_name: str
    task: Task
    algorithm_name: str
    algorithm: Algorithm
    """As it is trained: what its sweep found, at the run's own temperature."""
    seeds: tuple[int, ...]
    """In ascending order, whatever the order in `params.yaml`."""
    steps: int
    """Environment steps of every seed."""
    start: str | None
    """The run of `pretrain` whose networks it begins with."""
    swept: bool
    """Whether a search chose the temperature."""
    root: Path = layout.RUNS

    @classmethod
    def of(cls, described: Mapping[str, Any], root: Path = layout.RUNS) -> Self:
        """The run that a description or a `run.json` is of.

        Raises:
            ValueError: It describes none.
        """
        return cls(
            stage=described["stage"],
            name=described["run"],
            task_name=described["task_name"],
            task=parsed(Task, described["task"]),
            algorithm_name=described["algorithm_name"],
            algorithm=parsed(Algorithm, described["algorithm"]),
            seeds=tuple(described["seeds"]),
            steps=int(described["steps"]),
            start=described["start"],
            swept=described["swept"],
            root=root,
        )

    def described(self) -> dict[str, Any]:
        """What `run.json` says of it, besides its key."""
        return {
            "stage": self.stage,
            "run": self.name,
            "task_name": self.task_name,
            "task": self.task.model_dump(mode="json"),
            "algorithm_name": self.algorithm_name,
            "algorithm": self.algorithm.model_dump(mode="json"),
            "seeds": list(self.seeds),
            "steps": self.steps,
            "start": self.start,
            "swept": self.swept,
        }

    @property
    def folder(self) -> Path:
        """Where its results are."""
        return self.root / self.stage / self.name

    @property
    def start_weights(self) -> Path | None:
        """The pretrained weights that it begins with."""
        if self.start is None:
            return None
        return self.root / "pretrain" / self.start / layout.WEIGHTS

    @property
    def label(self) -> str:
        """What tells the run from the others it is shown with."""
        return f"scratch/{self.name}" if self.stage == "scratch" else self.name

    @property
    def id(self) -> str:
        """What tells the run from all others."""
        return f"{self.stage}/{self.name}"

    @property
    def instance(self) -> str:
        """What DVC calls it."""
        return layout.instance(self.stage, self.name)

    @property
    def temperature(self) -> float | None:
        """α in reward units per nat, if there is one and it is fixed."""
        return self.algorithm.fixed_temperature

    def jobs(
        self, execution: Execution, start: Mapping[str, Array] | None = None
    ) -> list[Job]:
        """Its seeds, cut into chunks; `start` has networks that they begin with."""
        return [
            Job(
                task=self.task,
                algorithms=(self.algorithm,) * len(self.seeds[part]),
                seeds=self.seeds[part],
                steps=self.steps,
                start=start and {name: array[part] for name, array in start.items()},
                computation=execution.computation,
            )
            for part in chunks(len(self.seeds), execution.members_per_process)
        ]

    # ----------------------------------------------------------------------- results

    @cached_property
    def failures(self) -> Mapping[int, int]:
        """Seeds that have failed, and after how many environment steps."""
        path = self.folder / layout.FAILURES
        if not path.exists():
            return {}
        with layout.readable(path, self.instance):
            return {int(row["seed"]): int(row["step"]) for row in read_csv(path)}

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Whether each seed has failed."""
        return np.array([seed in self.failures for seed in self.seeds])

    @cached_property
    def final(self) -> Mapping[str, Floats]:
        """Metric to one number per seed, of the evaluation after training.

        Seeds that have failed have the number that they count for.
        """
        with layout.readable(self.folder / layout.FINAL, self.instance):
            table = read_table(self.folder / layout.FINAL)
            del table["seed"]
        return self.counted(table)

    def counted(self, columns: Mapping[str, Floats]) -> dict[str, Floats]:
        """Columns of numbers, one per seed, with what seeds count for that failed."""
        return {
            name: np.where(
                self.failed, self.task.of_failed(name.rpartition("/")[2]), values
            )
            for name, values in columns.items()
        }

    @cached_property
    def _records(self) -> Mapping[str, Floats]:
        with layout.readable(self.folder / layout.RECORDS, self.instance):
            table = read_table(self.folder / layout.RECORDS)
            _ = table["seed"], table["step"]
        return table

    @property
    def measured(self) -> list[str]:
        """Metrics that were measured in the course of training."""
        return [name for name in self._records if name not in ("seed", "step")]

    def curve(self, metric: str) -> Curve:
        """A metric of `records.csv`, at the steps where any seed has a number.

        Seeds that have failed have the number that they count for from then on.
        """
        table = self._records
        rows = np.isfinite(table[metric])
        steps = np.unique(table["step"][rows])
        values = np.full((len(steps), len(self.seeds)), np.nan)
        for column, seed in enumerate(self.seeds):
            own = rows & (table["seed"] == seed)
            at = np.searchsorted(steps, table["step"][own])
            values[at, column] = table[metric][own]
            if seed in self.failures:
                after = steps >= self.failures[seed]
                missing = after & np.isnan(values[:, column])
                of_failed = self.task.of_failed(metric.rpartition("/")[2])
                values[missing, column] = of_failed
        return Curve(steps.astype(np.int64), values)

    def behaviour(self) -> dict[str, npt.NDArray[np.float32]]:
        """What was kept of the final evaluation; empty for a task without a plane."""
        path = self.folder / layout.BEHAVIOUR
        if not path.exists():
            return {}
        with layout.readable(path, self.instance):
            return load_file(path)
