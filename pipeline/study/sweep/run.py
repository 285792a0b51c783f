"""Train the trials of one algorithm's sweep, and write what it found."""

import math
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Execution
from pipeline.core.config.values import parsed, with_values
from pipeline.core.job import Job, Record, Result, chunks
from pipeline.core.tasks.settings import Task
from pipeline.study.backends.backend import Backend, backend
from pipeline.study.backends.worker import Work, train
from pipeline.study.errors import UserError
from pipeline.study.machine.check import check_machine
from pipeline.study.machine.needs import check_needs, needs_of
from pipeline.study.params.sweep import Budget, Range
from pipeline.study.store import layout
from pipeline.study.store.files import run_key, write_json, write_yaml
from pipeline.study.sweep.dashboard import Dashboard
from pipeline.study.sweep.search import FinishedBatches, search
from pipeline.study.sweep.trials import Params, Space, Trial, best, write_trials
from pipeline.study.tracking.live import LiveRun, tracked
from pipeline.study.training.progress import Progress, warn
from pipeline.study.training.work_folder import claimed, whole_folder


@dataclass(frozen=True)
class SweepPlan:
    """The search for one algorithm's numbers, as its description has it."""

    said: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the algorithm."""
        return str(self.said["run"])

    @cached_property
    def algorithm(self) -> Algorithm:
        """With the numbers that were set by hand."""
        algorithm: Algorithm = parsed(Algorithm, self.said["algorithm"])
        return algorithm

    @cached_property
    def task(self) -> Task:
        """What its trials are trained on."""
        task: Task = parsed(Task, self.said["task"])
        return task

    @cached_property
    def space(self) -> Space:
        """What is searched."""
        space: Space = parsed(dict[str, Range], self.said["space"])
        return space

    @cached_property
    def budget(self) -> Budget:
        """What it may cost."""
        budget: Budget = parsed(
            Budget, {name: self.said[name] for name in Budget.model_fields}
        )
        return budget

    @cached_property
    def execution(self) -> Execution:
        """How it is computed."""
        execution: Execution = parsed(Execution, self.said["execution"])
        return execution

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of every trial."""
        return tuple(self.said["seeds"])

    def described(self) -> dict[str, Any]:
        """What `run.json` says of it, besides its key and what it found."""
        return {name: self.said[name] for name in self.said if name != "execution"}

    @property
    def key(self) -> str:
        """Names the sweep by everything that its table of trials depends on."""
        return run_key("sweep", self.name, self.said, [layout.code_file("sweep")])

    @property
    def batch_key(self) -> str:
        """The same but for how many batches there are: more can go on from fewer."""
        said = {name: self.said[name] for name in self.said if name != "batches"}
        return run_key("sweep", self.name, said, [layout.code_file("sweep")])

    def jobs(self, tried: Sequence[Params]) -> list[Job]:
        """Every trial on every seed, as one population that is cut into chunks."""
        configured = [with_values(self.algorithm, params) for params in tried]
        algorithms = [one for one in configured for _ in self.seeds]
        seeds = self.seeds * len(configured)
        return [
            Job(
                task=self.task,
                algorithms=tuple(algorithms[part]),
                seeds=seeds[part],
                steps=self.budget.steps,
                computation=self.execution.computation,
            )
            for part in chunks(len(seeds), self.execution.members_per_process)
        ]


def run_sweep(said: Mapping[str, Any], study: str, *, work: Work = train) -> None:
    """Search from where the search was left, and write the best and all trials.

    `said` is the description of the sweep; `work` is done with each chunk of a batch.

    Raises:
        UserError: This machine cannot compute as the study asks or has no room for it,
            every trial failed, or the training did.
    """
    plan = SweepPlan(said)
    with claimed(layout.instance("sweep", plan.name), plan.batch_key) as folder:
        tried = []
        if plan.budget.batches:
            check_machine(plan.execution)
            check_needs(needs_of(said, plan.algorithm), folder)
            tried = _search(plan, study, folder, work)
        _write(plan, tried, best(tried))


def _search(plan: SweepPlan, study: str, folder: Path, work: Work) -> list[Trial]:
    """Compute the batches that are not finished, and show how far they are."""
    budget, name = plan.budget, plan.name
    numbers = range(budget.batches)
    slots = range(budget.trials_per_batch)
    tried: list[Trial] = []
    with (
        tracked(
            study=study,
            stage="sweep",
            run=name,
            key=plan.key,
            children=[
                layout.trial_child(layout.trial_name(batch, slot))
                for batch in numbers
                for slot in slots
            ],
            params=plan.described(),
        ) as live,
        Progress(
            layout.instance("sweep", name),
            members=len(numbers) * len(slots) * len(plan.seeds),
            steps=budget.steps,
            score=f"best {plan.task.objective}",
        ) as progress,
        backend(threads=plan.execution.threads, work=work) as workers,
    ):
        trainer = _Trainer(plan, folder, live, progress, workers)
        dashboard = Dashboard(f"{study} sweep@{name}", plan.space)
        for tried in search(
            plan.space,
            seed=plan.said["sampler_seed"],
            random_trials=plan.said["random_trials"],
            batches=budget.batches,
            size=budget.trials_per_batch,
            finished=FinishedBatches(folder),
            evaluate=trainer.evaluate,
        ):
            trainer.finished(tried)
            dashboard.show(tried)
        if best(tried) is None:
            why = trainer.why or "search smaller learning rates or other temperatures"
            raise UserError(
                f"sweep@{name}: no trial has a finite {plan.task.objective}; {why}"
            )
    return tried


@dataclass
class _Trainer:
    """Trains batches, and tells MLflow and the progress display."""

    plan: SweepPlan
    folder: Path
    live: LiveRun
    progress: Progress
    workers: Backend
    why: str | None = None
    """Why the first member that failed did."""
    _trained: set[int] = field(default_factory=set)
    """Batches that were not finished before."""
    _curves: defaultdict[tuple[str, int], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def evaluate(self, batch: int, tried: Sequence[Params]) -> list[list[float]]:
        """The objective of every trial and seed after training."""
        self._trained.add(batch)
        jobs = self.plan.jobs(tried)
        folder = self.folder / f"batch_{batch}"

        def told(index: int, record: Record, replayed: bool) -> None:
            first = sum(len(job.seeds) for job in jobs[:index])
            members = len(jobs[index].seeds)
            self._show_curves(batch, first, record)
            for member, failure in record.failures.items():
                self.why = self.why or failure.reason
                if not replayed:
                    warn(self._who(batch, first + member), failure)
            self.progress.advance(
                (batch, index), record.step, members=members, replayed=replayed
            )

        results = self.workers.run(jobs, folder=folder, on_record=told)
        shutil.rmtree(folder)
        return self._by_trial(results)

    def _who(self, batch: int, member: int) -> str:
        """A member of a batch, counted through its trials."""
        trial, seed = divmod(member, len(self.plan.seeds))
        return (
            f"sweep@{self.plan.name}, task {self.plan.said['task_name']}, "
            f"trial {layout.trial_name(batch, trial)}, seed {self.plan.seeds[seed]}"
        )

    def _by_trial(self, results: Sequence[Result]) -> list[list[float]]:
        seeds = len(self.plan.seeds)
        objective = self.plan.task.objective
        values = [value for result in results for value in result.final[objective]]
        return [values[first : first + seeds] for first in range(0, len(values), seeds)]

    def _show_curves(self, batch: int, first: int, record: Record) -> None:
        """Show a trial's mean over seeds as soon as all of them have been evaluated."""
        metric = f"evaluation/{self.plan.task.objective}"
        seeds = len(self.plan.seeds)
        for member, value in enumerate(record.metrics.get(metric, []), first):
            trial = layout.trial_child(layout.trial_name(batch, member // seeds))
            values = self._curves[trial, record.step]
            values.append(value)
            if len(values) == seeds:
                mean = math.fsum(self._curves.pop((trial, record.step))) / seeds
                self.live.log(trial, record.step, {metric: mean})

    def finished(self, tried: Sequence[Trial]) -> None:
        """Show what came of the newest batch."""
        steps, objective = self.plan.budget.steps, self.plan.task.objective
        newest = tried[-self.plan.budget.trials_per_batch :]
        for trial in newest:
            values = {objective: trial.value} | {
                f"{objective}/seed_{seed}": value
                for seed, value in zip(self.plan.seeds, trial.values, strict=True)
            }
            known = {name: v for name, v in values.items() if v is not None}
            self.live.log(layout.trial_child(trial.name), steps, known)
        batch, members = newest[0].batch, len(newest) * len(self.plan.seeds)
        if batch not in self._trained:
            self.progress.advance(batch, steps, members=members, replayed=True)
        leader = best(tried)
        if leader is not None and leader.value is not None:
            self.progress.scored(leader.value)


def _write(plan: SweepPlan, tried: Sequence[Trial], found: Trial | None) -> None:
    """Write `best.yaml`, which training depends on, and beside it all trials."""
    chosen = with_values(plan.algorithm, found.params if found else {})
    target = layout.best_file(plan.name)
    with whole_folder(target.parent / "trials") as output:
        write_trials(output / layout.TRIALS, tried, plan.space, plan.seeds)
        winner = {
            "trial": found.name if found else None,
            "value": found.value if found else None,
        }
        kept = {"key": plan.key, **plan.described(), "best": winner}
        write_json(output / layout.DESCRIBED, kept)
    write_yaml(target, {"kind": chosen.kind} | chosen.model_dump(mode="json"))
