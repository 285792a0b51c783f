"""What a sweep says while it goes on: to MLflow, and on the terminal."""

from collections import defaultdict
from collections.abc import Sequence

from pipeline.core.job import Record
from pipeline.study.store import layout
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.search import Search
from pipeline.study.sweep.trials import Fresh, Trial, best, worth
from pipeline.study.sweep.work import TrialJob, early_end, statistic_of
from pipeline.study.tracking import sweeps
from pipeline.study.tracking.live import LiveRun
from pipeline.study.tracking.writer import PARENT
from pipeline.study.training.progress import Progress, warn


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
                self._log(child, record.step, metric, self._by_seed(values))
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
        child, objective = layout.trial_child(trial.number), self._plan.task.objective
        self._begin(trial.number)
        if child not in self._computed:
            for step, values in trial.outcome.curve.items():
                self._log(child, step, f"evaluation/{objective}", self._by_seed(values))
        steps = self._plan.said["steps"]
        self._log(child, steps, objective, self._by_seed(trial.values))
        how = sweeps.end(trial.state, trial.reason)
        self._live.ended(child, sweeps.status(trial.state), how)
        seeds = self._plan.seeds
        part, count = (child, seeds[0]), len(seeds)
        self._progress.advance(part, steps, members=count, replayed=True)
        leader = best([*self._search.over.values()])
        self._progress.scored(None if leader is None else leader.value)

    def won(self, trial: Trial, fresh: Fresh) -> None:
        """Mark the best trial, and show what its setting is worth on fresh seeds."""
        said, objective = self._plan.said, self._plan.task.objective
        child, steps = layout.FRESH_CHILD, said["steps"]
        if child not in self._computed:
            self._progress.advance(child, steps, members=len(fresh), replayed=True)
        self._live.child(child, "", {})
        self._log(child, steps, objective, fresh)
        self._live.ended(child, "FINISHED", {})
        self._live.describe(layout.trial_child(trial.number), sweeps.BEST)
        found = worth(trial, fresh, said["statistic"])
        self._live.describe(PARENT, sweeps.best_params(found, trial.params))
        metrics = sweeps.best_metrics(objective, found)
        self._live.log(PARENT, steps, metrics)

    def _begin(self, number: int) -> None:
        """Open the run of a trial."""
        if number in self._begun:
            return
        self._begun.add(number)
        params = self._search.asked[number].params
        title = layout.trial_title(number, params)
        self._live.child(layout.trial_child(number), title, params)

    def _by_seed(self, values: Sequence[float | None]) -> Fresh:
        """Values of a trial, of which there are none if it ended before."""
        return dict(zip(self._plan.seeds, values, strict=False))

    def _log(self, child: str, step: int, metric: str, values: Fresh) -> None:
        """A value of each seed, and their statistic."""
        statistic = statistic_of([*values.values()], self._plan.said["statistic"])
        self._live.log(child, step, sweeps.metrics(metric, statistic, values))
