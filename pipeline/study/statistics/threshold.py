"""Steps to a threshold: how many environment steps a seed needs to reach something.

A seed that never reaches it, or that has failed, counts with its whole budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pipeline.core.judging.interquartile import interquartile_mean
from pipeline.study.statistics.bootstrap import Bootstrap, Floats
from pipeline.study.statistics.curves import EVALUATION
from pipeline.study.store.layout import TO_THRESHOLD
from pipeline.study.store.runs import Run

STEPS_TO: Final = "steps_to_"
"""How the names of such metrics begin, also those of a task's milestones."""
FIXED: Final = "fixed beforehand in params.yaml"
HALF_WAY: Final = (
    "half-way from the first evaluation of fresh networks to the best end of any run"
)
"""Whence a threshold return is."""


@dataclass(frozen=True)
class StepsToThreshold:
    """Environment steps after which each seed first reached a threshold."""

    steps: Floats
    """Per seed; NaN where it never did."""
    budget: int
    """Steps that each seed had."""

    @property
    def counted(self) -> Floats:
        """Steps per seed; the whole budget where the threshold was never reached."""
        return np.where(np.isnan(self.steps), self.budget, self.steps)

    def within(self, budget: int) -> Floats:
        """Steps per seed; this budget where it was not reached by then."""
        return np.minimum(self.counted, budget)

    def summary(self, bootstrap: Bootstrap, name: str) -> dict[str, Any]:
        """IQM and median over all seeds, and the share that reached the threshold."""
        return {
            **bootstrap.summary(self.counted, name),
            "median": float(np.median(self.counted)),
            "share": float(np.mean(~np.isnan(self.steps))),
            "budget": self.budget,
        }


def threshold_returns(
    runs: Sequence[Run], fixed: Mapping[str, float]
) -> dict[str, float]:
    """The threshold return of every task of fine-tuned runs, in reward units.

    The one that was `fixed` beforehand for the task, or else half-way from where fresh
    networks begin to where the best run ends: (a + b) / 2 with a the lowest IQM of the
    first evaluation of the runs from scratch, and b the highest IQM of the final return
    of all runs on that task. A task without runs from scratch, or on which nothing was
    learned (b ≤ a), then has none.
    """
    result = dict(fixed)
    for task_name in dict.fromkeys(run.task_name for run in runs):
        if task_name in fixed:
            continue
        on_task = [
            run
            for run in runs
            if run.task_name == task_name and run.stage in TO_THRESHOLD
        ]
        begins = [
            first
            for run in on_task
            if run.stage == "scratch"
            for first in _known(run.curve(f"{EVALUATION}return").values[:1])
        ]
        ends = [last for run in on_task for last in _known(run.final["return"][None])]
        if begins and ends and max(ends) > min(begins):
            result[task_name] = (min(begins) + max(ends)) / 2
    return result


def _known(rows: Floats) -> list[float]:
    """The IQM of each row `[row, seed]` that has a number."""
    known = [row[~np.isnan(row)] for row in rows]
    means = [float(interquartile_mean(row)) for row in known if row.size]
    return [mean for mean in means if np.isfinite(mean)]


def steps_to_return(run: Run, threshold: float) -> StepsToThreshold:
    """Steps of each seed until an evaluation first has the threshold return."""
    curve = run.curve(f"{EVALUATION}return")
    reached = (curve.values >= threshold) & ~run.failed
    if not reached.any():
        return StepsToThreshold(np.full(len(run.seeds), np.nan), run.steps)
    first = curve.steps[reached.argmax(axis=0)].astype(float)
    return StepsToThreshold(np.where(reached.any(axis=0), first, np.nan), run.steps)
