"""Train one run of a stage, all its seeds, and write what comes out of it."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import isnan
from statistics import fmean
from typing import Any

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Execution
from pipeline.core.config.values import parsed
from pipeline.core.job import Array, Failure, Job, Record, Result
from pipeline.core.training.weights import DamagedError, WrongStartError, pretrained
from pipeline.study.backends.backend import backend, check_backend
from pipeline.study.backends.worker import Work, train
from pipeline.study.command import command, described, study_name
from pipeline.study.machine.needs import check_needs, needs_of
from pipeline.study.store import layout
from pipeline.study.store.files import read_yaml, run_key
from pipeline.study.store.runs import Run
from pipeline.study.tracking.live import LiveRun, tracked
from pipeline.study.training.progress import Progress, warn
from pipeline.study.training.work_folder import claimed, whole_folder
from pipeline.study.training.writing import write_run


def main(stage: layout.StageName, *, work: Work = train) -> None:
    """Train the run that the command line names."""
    with command(stage):
        train_run(described(stage), study_name(), work=work)


def train_run(said: Mapping[str, Any], study: str, *, work: Work = train) -> None:
    """Train a run from where it was left, and write its folder.

    `said` is its description; `work` is done with each chunk of its seeds.

    Raises:
        UserError: An input is missing, this machine cannot compute as the study asks,
            or has no room for it, or the training failed.
    """
    run, execution = described_run(said), parsed(Execution, said["execution"])
    inputs = [layout.code_file(run.stage), layout.best_file(run.algorithm_name)]
    start = _start(run)
    if run.start_weights is not None:
        inputs.append(run.start_weights)
    check_backend(execution)
    key = run_key(run.stage, run.name, said, inputs)
    own_code = {"code": said["code"]} if "code" in said else {}
    kept = {"key": key} | run.described() | own_code
    jobs = {str(number): job for number, job in enumerate(run.jobs(execution, start))}
    with claimed(run.instance, key) as folder:
        needs = needs_of(said, run.algorithm)
        check_needs(needs, folder)
        with (
            tracked(
                study=study,
                stage=run.stage,
                run=run.name,
                key=key,
                children=[layout.seed_child(seed) for seed in run.seeds],
                params=kept,
            ) as live,
            Progress(
                run.instance,
                members=len(run.seeds),
                steps=run.steps,
                score=run.task.objective,
            ) as progress,
        ):
            watcher = _Watcher(run, jobs, live, progress)
            with backend(execution, work=work, memory=needs.of_job) as workers:
                found = dict(workers.run(jobs, folder=folder, on_record=watcher.told))
            results = [found[name] for name in jobs]
            watcher.finished(results)
            with whole_folder(run.folder) as output:
                write_run(output, kept, list(zip(jobs.values(), results, strict=True)))
        watcher.closing()
        shutil.rmtree(folder)


def described_run(said: Mapping[str, Any]) -> Run:
    """The run of a description, with the numbers that its sweep chose.

    Raises:
        UserError: The algorithm's sweep has not been run, or what it wrote is damaged.
    """
    name = said["algorithm_name"]
    best = layout.best_file(name)
    with layout.readable(best, layout.instance("sweep", name)):
        algorithm = read_yaml(best)
        run = Run.of({**said, "algorithm": algorithm})
    if said["temperature"] is None:
        return run
    fixed: Algorithm = run.algorithm.with_temperature(said["temperature"])
    return replace(run, algorithm=fixed)


def _start(run: Run) -> dict[str, Array] | None:
    """The networks that a run begins with, if they are not fresh.

    Raises:
        UserError: They are missing, damaged, or of other seeds.
    """
    if (path := run.start_weights) is None:
        return None
    with layout.readable(path, layout.instance("pretrain", str(run.start))):
        path.stat()  # whether it is there
        try:
            return pretrained(path, run.seeds)
        except (DamagedError, WrongStartError) as error:
            raise ValueError(error) from None


class _Watcher:
    """Passes what is measured on to MLflow and to the progress display."""

    def __init__(
        self, run: Run, jobs: Mapping[str, Job], live: LiveRun, progress: Progress
    ) -> None:
        self._run = run
        self._jobs = jobs
        self._live = live
        self._progress = progress
        self._scores: dict[str, list[float]] = {}
        self._warned: set[int] = set()

    def told(self, name: str, record: Record, replayed: bool) -> None:
        """Pass on a record of a job."""
        job = self._jobs[name]
        self._log(job, record.step, record.metrics)
        self._warn(job, record.failures)
        objective = f"evaluation/{job.task.objective}"
        if objective in record.metrics:
            self._scores[name] = record.metrics[objective]
            known = [x for x in chain(*self._scores.values()) if not isnan(x)]
            self._progress.scored(fmean(known) if known else None)
        members = len(job.seeds)
        self._progress.advance(name, record.step, members=members, replayed=replayed)

    def finished(self, results: Sequence[Result]) -> None:
        """Pass on the evaluations after training."""
        for job, result in zip(self._jobs.values(), results, strict=True):
            named = {f"final/{name}": values for name, values in result.final.items()}
            self._log(job, job.steps, named)
            self._warn(job, result.failures)

    def closing(self) -> None:
        """Say how many seeds have failed, and where the reasons are."""
        if self._warned:
            print(
                f"warning: {self._run.instance}: {len(self._warned)} of "
                f"{len(self._run.seeds)} seeds failed and count as having achieved "
                f"nothing; reasons: {self._run.folder / layout.FAILURES}",
                file=sys.stderr,
            )

    def _warn(self, job: Job, failures: Mapping[int, Failure]) -> None:
        """Say once which seeds have failed."""
        for member, failure in failures.items():
            seed = job.seeds[member]
            if seed not in self._warned:
                self._warned.add(seed)
                who = f"{self._run.instance}, task {self._run.task_name}"
                warn(f"{who}, {layout.seed_child(seed)}", failure)

    def _log(self, job: Job, step: int, metrics: dict[str, list[float]]) -> None:
        for member, seed in enumerate(job.seeds):
            own = {name: values[member] for name, values in metrics.items()}
            self._live.log(layout.seed_child(seed), step, own)
