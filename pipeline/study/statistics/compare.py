"""What the runs of a study say beside each other: numbers, rivals, learning curves.

Every run is measured against DDPG on the same task (`rivals`). Numbers of seeds become
interquartile means with intervals (`statistics.py`). What some seeds never did is
counted as never: a seed that did not arrive spent its whole budget.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from pipeline.study.statistics.bootstrap import Bootstrap, Interval, interquartile_mean
from pipeline.study.store.runs import Floats, Run

EVALUATION: Final = "evaluation/"
ARRIVAL: Final = "steps_to_all_goals"
CURVES: Final = (
    "return",
    "multi_goal_score",
    "goals_reached",
    "goal_entropy",
    "success",
    "distance",
    "forward_distance",
    "direction_spread",
)
"""Metrics of evaluations whose learning curves are worth a file."""


@dataclass(frozen=True)
class Arrival:
    """How early seeds did something for the first time, in environment steps."""

    steps: Floats
    """Per seed; NaN where it never happened."""
    budget: int
    """Steps that each seed had."""

    @property
    def counted(self) -> Floats:
        """Steps per seed, never counted as the whole budget."""
        return np.where(np.isnan(self.steps), self.budget, self.steps)

    def summary(self, bootstrap: Bootstrap, name: str) -> dict[str, Any]:
        """Share of seeds that arrived; median and IQM of all, never as the budget."""
        return {
            **_summary(bootstrap.interquartile_mean(self.counted, name)),
            "median": float(np.median(self.counted)),
            "share": float(np.mean(~np.isnan(self.steps))),
            "budget": self.budget,
            "seeds": len(self.steps),
        }


def compare(runs: Sequence[Run], bootstrap: Bootstrap) -> dict[str, Any]:
    """Every number about every run: stage, run, metric."""
    result: dict[str, Any] = {}
    thresholds = set_returns(runs)
    for run in runs:
        entry = _final(run, bootstrap)
        if run.task_name in thresholds and run.stage in ("finetune", "scratch"):
            threshold = thresholds[run.task_name]
            arrival = steps_to_return(run, threshold)
            entry["steps_to_return"] = {
                **arrival.summary(bootstrap, f"{run.id}/steps_to_return"),
                "threshold": threshold,
            }
        against = {
            rival.id: _improvements(run, rival, bootstrap)
            for rival in rivals(run, runs)
        }
        if against:
            entry["probability_of_improvement"] = against
        result.setdefault(run.stage, {})[run.name] = entry
    return result


def _final(run: Run, bootstrap: Bootstrap) -> dict[str, Any]:
    """Statistics of the evaluation after training; seeds without a number left out."""
    entry: dict[str, Any] = {}
    for metric, values in run.final.items():
        name = f"{run.id}/{metric}"
        known = values[np.isfinite(values)]
        if metric == ARRIVAL:
            entry[metric] = Arrival(values, run.steps).summary(bootstrap, name)
        elif known.size:
            interval = bootstrap.interquartile_mean(known, name)
            entry[metric] = {**_summary(interval), "seeds": known.size}
    return entry


def _summary(interval: Interval) -> dict[str, float]:
    return {"iqm": interval.estimate, "low": interval.low, "high": interval.high}


# ------------------------------------------------------------------------ rivals


def rivals(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Whom a run is measured against, all on its own task.

    DDPG of the same stage; for a fine-tuned run also DDPG from scratch, and its own
    algorithm from scratch.
    """

    def is_rival(other: Run) -> bool:
        if other.id == run.id or other.task_name != run.task_name:
            return False
        if other.stage == run.stage:
            return other.algorithm.kind == "ddpg"
        return (run.stage, other.stage) == ("finetune", "scratch") and (
            other.algorithm.kind == "ddpg" or other.algorithm_name == run.algorithm_name
        )

    return [other for other in runs if is_rival(other)]


def _improvements(run: Run, rival: Run, bootstrap: Bootstrap) -> dict[str, Any]:
    """P(run > rival) in the task's objective and in the return."""
    return {
        metric: asdict(improvement(run, rival, metric, bootstrap=bootstrap))
        for metric in dict.fromkeys((run.task.objective, "return"))
        if metric in run.final and metric in rival.final
    }


def improvement(run: Run, rival: Run, metric: str, *, bootstrap: Bootstrap) -> Interval:
    """P(run > rival) of a final metric; a seed without a number loses."""
    x, y = run.final[metric], rival.final[metric]
    known = np.concatenate([x, y])
    worst = known[np.isfinite(known)].min(initial=0.0) - 1
    return bootstrap.probability_of_improvement(
        np.where(np.isfinite(x), x, worst),
        np.where(np.isfinite(y), y, worst),
        f"{run.id}>{rival.id}/{metric}",
    )


# -------------------------------------------------------------- steps to a return


def set_returns(runs: Sequence[Run]) -> dict[str, float]:
    """The return that has to be arrived at, for every task of a fine-tuned run.

    Half-way from where fresh networks begin to where the best run ends:
    (a + b) / 2 with a the lowest IQM of the first evaluation of the runs from scratch,
    and b the highest IQM of the final return of all runs on that task. A task without
    runs from scratch, or on which nothing was learned (b ≤ a), has none.
    """
    result = {}
    for task_name in dict.fromkeys(run.task_name for run in runs):
        on_task = [
            run
            for run in runs
            if run.task_name == task_name and run.stage in ("finetune", "scratch")
        ]
        begins = [
            float(interquartile_mean(first[np.isfinite(first)]))
            for run in on_task
            if run.stage == "scratch"
            for first in run.curve(f"{EVALUATION}return").values[:1]
        ]
        ends = [
            float(interquartile_mean(last[np.isfinite(last)]))
            for run in on_task
            for last in [run.final["return"]]
            if np.isfinite(last).any()
        ]
        if begins and ends and max(ends) > min(begins):
            result[task_name] = (min(begins) + max(ends)) / 2
    return result


def steps_to_return(run: Run, threshold: float) -> Arrival:
    """Steps of each seed until an evaluation first has the set return."""
    curve = run.curve(f"{EVALUATION}return")
    arrived = curve.values >= threshold
    first = curve.steps[arrived.argmax(axis=0)].astype(float)
    return Arrival(np.where(arrived.any(axis=0), first, np.nan), run.steps)


# ----------------------------------------------------------------- learning curves


@dataclass(frozen=True)
class Band:
    """The learning curve of a run: an interval at each step."""

    run: Run
    steps: list[int]
    intervals: list[Interval]


def panels(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    """Runs that are shown together: by stage and task, scratch with fine-tuning."""
    result: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        stage = "finetune" if run.stage == "scratch" else run.stage
        result.setdefault((stage, run.task_name), []).append(run)
    return result


def bands(runs: Sequence[Run], metric: str, bootstrap: Bootstrap) -> Iterator[Band]:
    """The learning curves of those runs that have the metric."""
    for run in runs:
        if f"{EVALUATION}{metric}" not in run.measured:
            continue
        curve = run.curve(f"{EVALUATION}{metric}")
        name = f"{run.id}/{EVALUATION}{metric}"
        intervals = [
            bootstrap.interquartile_mean(step[np.isfinite(step)], name)
            for step in curve.values
        ]
        yield Band(run, [int(step) for step in curve.steps], intervals)
