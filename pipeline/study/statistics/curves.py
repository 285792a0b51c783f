"""Learning curves: which runs are shown together, and an interval at each step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.store.runs import Run

EVALUATION: Final = "evaluation/"
"""How the names of what was evaluated in the course of training begin."""


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
    name = f"{EVALUATION}{metric}"
    for run in runs:
        if name in run.measured:
            curve = run.curve(name)
            intervals = [
                bootstrap.interquartile_mean(step[~np.isnan(step)], f"{run.id}/{name}")
                for step in curve.values
            ]
            yield Band(run, [int(step) for step in curve.steps], intervals)
