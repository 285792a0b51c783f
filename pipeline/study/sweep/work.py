"""What a worker does with trials: train them, and stop when all of them are over.

A trial is over early if a seed of it has failed, or if its statistic has stayed below
its floor. Floors come from trials before it and travel with the job, so whoever trains
it comes to the same end. Trials that share a job go on until all of them are over: no
shape changes while it runs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from pipeline.core.job import Failure, Job, Record, Result
from pipeline.core.judging.interquartile import interquartile_mean
from pipeline.study.backends.worker import Desk, trained
from pipeline.study.params.sweep import Statistic

State: TypeAlias = Literal["COMPLETE", "PRUNED", "FAIL"]
"""Optuna's words for how a trial went."""
STATISTICS: Final[dict[Statistic, Any]] = {
    "iqm": interquartile_mean,
    "mean": np.mean,
    "median": np.median,
    "worst": np.min,
}


@dataclass(frozen=True, kw_only=True)
class TrialJob(Job):
    """Trials that are trained side by side: the members of one after another's."""

    statistic: Statistic
    floors: tuple[Mapping[int, float], ...]
    """Of each trial: what its best statistic so far must reach, by step."""

    def members(self, trial: int) -> range:
        """Those of one of the trials, which is counted from 0."""
        count = len(self.seeds) // len(self.floors)
        return range(trial * count, (trial + 1) * count)


@dataclass(frozen=True)
class Outcome:
    """How one trial went. Values have one number per seed, None: it is not finite."""

    curve: dict[int, list[float | None]]
    """The objective at every evaluation while training, by step."""
    values: list[float | None]
    """The objective after training; empty, if it did not come to that."""
    state: State
    reason: str
    """Why it is not complete."""


def statistic_of(values: Sequence[float | None], statistic: Statistic) -> float | None:
    """Of the seeds of a trial; None if there are none, or one has no finite value."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not values or len(finite) < len(values):
        return None
    found = float(STATISTICS[statistic](finite))
    return found if math.isfinite(found) else None


def train_trials(job: TrialJob, desk: Desk) -> Result:
    """Train trials to their end, and judge them unless all are over before it.

    Networks and what they do are not kept.
    """
    from pipeline.core.training.finish import finish

    def over(records: Sequence[Record]) -> bool:
        if not records or not _says_something(job, records[-1]):
            return False
        trials = range(len(job.floors))
        return all(early_end(job, trial, records) is not None for trial in trials)

    training = trained(job, desk, over=over)
    if not over(training.records):
        return replace(finish(training), weights={}, behaviour={})
    return Result(
        records=training.records,
        final={},
        weights={},
        behaviour={},
        states=training.states,
        actions=training.actions,
        failures=training.failures,
    )


def _says_something(job: TrialJob, record: Record) -> bool:
    """Whether a trial may be over by a record, if it was not by the one before."""
    return bool(record.failures) or f"evaluation/{job.task.objective}" in record.metrics


def outcome(job: TrialJob, trial: int, result: Result) -> Outcome:
    """How one trial of a job went, by what came out of the job."""
    if (ended := early_end(job, trial, result.records)) is not None:
        return ended
    members = job.members(trial)
    objective = job.task.objective
    values = [_finite(result.final[objective][member]) for member in members]
    curve = _curve(job, trial, result.records)
    for member, value in zip(members, values, strict=True):
        seed = job.seeds[member]
        if (failure := result.failures.get(member)) is not None:
            return Outcome(curve, values, "FAIL", _failed(seed, failure))
        if value is None:
            reason = f"seed {seed}: its {objective} is not a finite number"
            return Outcome(curve, values, "FAIL", reason)
    return Outcome(curve, values, "COMPLETE", "")


def early_end(job: TrialJob, trial: int, records: Sequence[Record]) -> Outcome | None:
    """How a trial ended before its last step; None if it did not."""
    members, floors = job.members(trial), job.floors[trial]
    best = -math.inf
    for count, record in enumerate(records, 1):
        for member in sorted(record.failures.keys() & set(members)):
            reason = _failed(job.seeds[member], record.failures[member])
            return Outcome(_curve(job, trial, records[:count]), [], "FAIL", reason)
        if (measured := record.metrics.get(f"evaluation/{job.task.objective}")) is None:
            continue
        found = statistic_of([measured[m] for m in members], job.statistic)
        best = best if found is None else max(best, found)
        floor = floors.get(record.step, -math.inf)
        if best < floor:
            reason = f"at step {record.step}: {best:.4g}, below {floor:.4g}"
            return Outcome(_curve(job, trial, records[:count]), [], "PRUNED", reason)
    return None


def _curve(
    job: TrialJob, trial: int, records: Sequence[Record]
) -> dict[int, list[float | None]]:
    metric, members = f"evaluation/{job.task.objective}", job.members(trial)
    return {
        record.step: [_finite(record.metrics[metric][member]) for member in members]
        for record in records
        if metric in record.metrics
    }


def _failed(seed: int, failure: Failure) -> str:
    return f"seed {seed} stopped at step {failure.step}: {failure.reason}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
