"""What a sweep says while it goes on: to MLflow, and on the terminal."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.core.job import Record
from pipeline.study.store import layout
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.search import Search
from pipeline.study.sweep.trials import Trial, best
from pipeline.study.sweep.work import TrialJob, early_end, statistic_of
from pipeline.study.tracking.live import LiveRun, Status
from pipeline.study.training.progress import Progress, warn

STATUS: Final[dict[str, Status]] = {
    "COMPLETE": "FINISHED",
    "PRUNED": "KILLED",
    "FAIL": "FAILED",
}
"""MLflow's words for Optuna's."""


class Watcher:
    """Passes what is measured of trials on to MLflow and to the progress display."""

    def __init__(
        self, plan: SweepPlan, search: Search, live: LiveRun, progress: Progress
    ) -> None:
        self._plan = plan
        self._search = search
        self._live = live
        self._progress = progress
        self._records: dict[str, list[Record]] = defaultdict(list)
        """Of each job, those by which a trial may be over."""
        self._begun: set[int] = set()
        self._computed: set[str] = set()
        """Runs of what is trained now, and not found."""
        self.why: str | None = None
        """Why the first member that failed did."""

    def told(self, name: str, record: Record, replayed: bool) -> None:
        """Pass on a record of trials that are trained together."""
        job, numbers = self._search.jobs[name], self._search.numbers[name]
        metric, before = f"evaluation/{job.task.objective}", self._records[name]
        for place, number in enumerate(numbers):
            child, members = layout.trial_child(number), job.members(place)
            self._begin(number)
            if early_end(job, place, before) is not None:
                continue
            if metric in record.metrics:
                values = [record.metrics[metric][member] for member in members]
                self._log(child, record.step, metric, job.seeds, values)
            self._passed(child, job, members, record, replayed=replayed)
        if metric in record.metrics or record.failures:
            before.append(record)

    def told_fresh(self, job: TrialJob, record: Record, replayed: bool) -> None:
        """Pass on a record of the best trial's setting on fresh seeds."""
        members = range(len(job.seeds))
        self._passed(layout.FRESH_CHILD, job, members, record, replayed=replayed)

    def _passed(
        self,
        child: str,
        job: TrialJob,
        members: range,
        record: Record,
        *,
        replayed: bool,
    ) -> None:
        """Say which members have failed, and how far they are."""
        self._computed.add(child)
        for member in record.failures.keys() & set(members):
            failure = record.failures[member]
            self.why = self.why or failure.reason
            if not replayed:
                who = f"sweep@{self._plan.name}, task {self._plan.said['task_name']}"
                warn(f"{who}, {child}, seed {job.seeds[member]}", failure)
        part = (child, job.seeds[members[0]])
        count = len(members)
        self._progress.advance(part, record.step, members=count, replayed=replayed)

    def over(self, trial: Trial) -> None:
        """Show how a trial went, whether it was trained now or before."""
        child, seeds = layout.trial_child(trial.number), self._plan.seeds
        steps, objective = self._plan.said["steps"], self._plan.task.objective
        self._begin(trial.number)
        if child not in self._computed:
            for step, values in trial.outcome.curve.items():
                self._log(child, step, f"evaluation/{objective}", seeds, values)
        self._log(child, steps, objective, seeds, trial.values)
        said = {"state": trial.state, "reason": trial.reason}
        self._live.ended(child, STATUS[trial.state], said)
        part, count = (child, seeds[0]), len(seeds)
        self._progress.advance(part, steps, members=count, replayed=True)
        leader = best([*self._search.over.values()])
        self._progress.scored(None if leader is None else leader.value)

    def fresh(self, values: Mapping[int, float | None]) -> None:
        """Show what the best trial's setting is worth on fresh seeds."""
        steps, objective = self._plan.said["steps"], self._plan.task.objective
        child = layout.FRESH_CHILD
        if child not in self._computed:
            count = len(values)
            self._progress.advance(child, steps, members=count, replayed=True)
        self._live.child(child, child, {})
        self._log(child, steps, objective, [*values], [*values.values()])
        self._live.ended(child, "FINISHED", {})

    def _begin(self, number: int) -> None:
        """Open the run of a trial."""
        if number in self._begun:
            return
        self._begun.add(number)
        params = self._search.asked[number].params
        title = layout.trial_title(number, params)
        self._live.child(layout.trial_child(number), title, params)

    def _log(
        self,
        child: str,
        step: int,
        metric: str,
        seeds: Sequence[int],
        values: Sequence[float | None],
    ) -> None:
        """A value of each seed, and their statistic."""
        named = {
            f"{metric}/seed_{seed}": value
            for seed, value in zip(seeds, values, strict=False)
        }
        named[metric] = statistic_of(values, self._plan.said["statistic"])
        known = {name: value for name, value in named.items() if value is not None}
        self._live.log(child, step, known)
