"""Train one run of a stage, all its seeds, and write what comes out of it."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter

from pipeline.core.agents.settings import Algorithm
from pipeline.core.job import Job, Record, Result, chunks
from pipeline.core.tasks.settings import Task
from pipeline.study.backends.local import execute
from pipeline.study.backends.worker import Work, train
from pipeline.study.command import chosen_run, command
from pipeline.study.errors import UserError
from pipeline.study.machine.check import check_machine
from pipeline.study.params import Execution, StageName, Study
from pipeline.study.science import LEARNING
from pipeline.study.store.files import read_yaml, run_key
from pipeline.study.store.layout import RUNS, best_file, instance, readable, seed_child
from pipeline.study.tracking.live import LiveRun, tracked
from pipeline.study.training.progress import Progress
from pipeline.study.training.work_folder import claimed, whole_folder
from pipeline.study.training.writing import write_run


@dataclass(frozen=True)
class TrainingRun:
    """One algorithm on one task from one starting point, with all seeds."""

    stage: StageName
    name: str
    task_name: str
    task: Task
    algorithm_name: str
    algorithm: Algorithm
    """As it will be trained: what its sweep found, at the run's own temperature."""
    seeds: tuple[int, ...]
    steps: int
    start: str | None
    """The run of `pretrain` whose networks it begins with."""

    @property
    def folder(self) -> Path:
        """Where its results are."""
        return RUNS / self.stage / self.name

    @property
    def weights(self) -> Path | None:
        """What it begins with."""
        if self.start is None:
            return None
        return RUNS / "pretrain" / self.start / "weights.safetensors"

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
        }

    def jobs(self, execution: Execution) -> list[Job]:
        """Its seeds, cut into chunks."""
        return [
            Job(
                task=self.task,
                algorithms=(self.algorithm,) * len(self.seeds[part]),
                seeds=self.seeds[part],
                steps=self.steps,
                start=self.weights,
                computation=execution.computation,
            )
            for part in chunks(len(self.seeds), execution.members_per_process)
        ]


def main(stage: StageName, *, work: Work = train) -> None:
    """Train the run that the command line names."""
    with command() as study:
        name = chosen_run(stage, study.stage(stage).runs)
        train_run(study, stage, name, work=work)


def train_run(study: Study, stage: StageName, name: str, *, work: Work = train) -> None:
    """Train a run from where it was left, and write its folder.

    Raises:
        UserError: An input is missing, this machine cannot compute as the study asks,
            or the training failed.
    """
    run = resolve(study, stage, name)
    execution = study.execution
    check_machine(execution)
    described = run.described()
    settings = described | {"execution": execution.model_dump()}
    inputs = [*LEARNING, best_file(run.algorithm_name)]
    if run.weights is not None:
        inputs.append(_existing(run.weights, instance("pretrain", str(run.start))))
    key = run_key(stage, name, settings, inputs)
    described = {"key": key} | described
    jobs = run.jobs(execution)
    with claimed(instance(stage, name), key) as folder:
        with (
            tracked(
                study=study.study.name,
                stage=stage,
                run=name,
                key=key,
                children=[seed_child(seed) for seed in run.seeds],
                params=described,
            ) as live,
            Progress(
                instance(stage, name),
                members=len(run.seeds),
                steps=run.steps,
                score=run.task.objective,
            ) as progress,
        ):
            watcher = _Watcher(jobs, live, progress)
            results = execute(
                jobs,
                folder=folder,
                threads=execution.threads,
                on_record=watcher.told,
                work=work,
            )
            watcher.finished(results)
            with whole_folder(run.folder, scratch=folder) as output:
                write_run(output, described, list(zip(jobs, results, strict=True)))
        shutil.rmtree(folder)


def resolve(study: Study, stage: StageName, name: str) -> TrainingRun:
    """Look up everything that a run's entry in `params.yaml` refers to.

    Raises:
        UserError: The algorithm's sweep has not been run, or what it wrote is damaged.
    """
    block = study.stage(stage)
    entry = block.runs[name]
    adapter: TypeAdapter[Algorithm] = TypeAdapter(Algorithm)
    best = best_file(entry.algorithm)
    with readable(best, instance("sweep", entry.algorithm)):
        # JSON, because strict pydantic takes a list for a tuple only from there.
        algorithm = adapter.validate_json(json.dumps(read_yaml(best)))
    if entry.temperature is not None:
        algorithm = algorithm.with_temperature(entry.temperature)
    return TrainingRun(
        stage=stage,
        name=name,
        task_name=entry.task,
        task=study.tasks[entry.task],
        algorithm_name=entry.algorithm,
        algorithm=algorithm,
        seeds=tuple(sorted(study.study.seeds)),
        steps=entry.steps or block.steps,
        start=entry.start,
    )


def _existing(path: Path, stage: str) -> Path:
    """The path of an input that another stage has written."""
    if not path.exists():
        raise UserError(f"{path} is missing; compute it: dvc repro {stage}")
    return path


class _Watcher:
    """Passes what is measured on to MLflow and to the progress display."""

    def __init__(self, jobs: Sequence[Job], live: LiveRun, progress: Progress) -> None:
        self._jobs = jobs
        self._live = live
        self._progress = progress
        self._scores: dict[int, list[float]] = {}

    def told(self, index: int, record: Record, replayed: bool) -> None:
        """Pass on a record of a job."""
        job = self._jobs[index]
        self._log(job, record.step, record.metrics)
        objective = f"evaluation/{job.task.objective}"
        if objective in record.metrics:
            self._scores[index] = record.metrics[objective]
            self._progress.scored(fmean(chain(*self._scores.values())))
        members = len(job.seeds)
        self._progress.advance(index, record.step, members=members, replayed=replayed)

    def finished(self, results: Sequence[Result]) -> None:
        """Pass on the evaluations after training."""
        for job, result in zip(self._jobs, results, strict=True):
            named = {f"final/{name}": values for name, values in result.final.items()}
            self._log(job, job.steps, named)

    def _log(self, job: Job, step: int, metrics: dict[str, list[float]]) -> None:
        for member, seed in enumerate(job.seeds):
            own = {name: values[member] for name, values in metrics.items()}
            self._live.log(seed_child(seed), step, own)
