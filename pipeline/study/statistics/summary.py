"""The numbers of `metrics.json`: by stage, then by run, then by metric."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from pipeline.study.statistics.bootstrap import Bootstrap, Floats
from pipeline.study.statistics.comparators import (
    comparators,
    improvement,
    robustness_improvement,
    score_comparators,
)
from pipeline.study.statistics.threshold import (
    STEPS_TO,
    StepsToThreshold,
    steps_to_return,
    threshold_returns,
)
from pipeline.study.store.layout import TO_THRESHOLD
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import Composition, Score

DISTANCES: Final = (
    "reverse_kl",
    "forward_kl",
    "total_variation",
    "value_error",
    "ways_total_variation",
)
"""What of a score is summarised."""


def summarise(
    runs: Sequence[Run],
    scores: Sequence[Score],
    compositions: Sequence[Composition],
    bootstrap: Bootstrap,
    *,
    fixed: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """Every number about every run, score and composition.

    `fixed` has the threshold returns of tasks for which they were written down.
    """
    result: dict[str, Any] = {}
    thresholds = threshold_returns(runs, fixed)
    for run in runs:
        entry = _of_run(run, runs, thresholds.get(run.task_name), bootstrap)
        result.setdefault(run.stage, {})[run.name] = entry
    for score in scores:
        explored = result.setdefault("explore", {}).setdefault(score.run.name, {})
        explored |= _of_score(score, scores, bootstrap)
    for one in compositions:
        result.setdefault("compose", {})[one.name] = {
            **nested(one.final, f"compose/{one.name}", bootstrap),
            "oracle": dict(one.summary),
        }
    return result


def nested(
    columns: Mapping[str, Floats], name: str, bootstrap: Bootstrap
) -> dict[str, Any]:
    """IQM and interval of every column, at the place that its name says.

    A column has one number per seed; `oracle/reverse_kl` is put below `oracle`. Seeds
    without a number are left out, and so are columns without any. Resamples are drawn
    by the streams `name`, followed by the name of the column.
    """
    result: dict[str, Any] = {}
    for column, values in columns.items():
        known = values[~np.isnan(values)]
        if known.size:
            *path, last = column.split("/")
            part = result
            for step in path:
                part = part.setdefault(step, {})
            part[last] = bootstrap.summary(known, f"{name}/{column}")
    return result


def _of_run(
    run: Run, runs: Sequence[Run], threshold: float | None, bootstrap: Bootstrap
) -> dict[str, Any]:
    """The evaluation after training, steps to thresholds, and the comparators."""
    milestones = {name for name in run.final if name.startswith(STEPS_TO)}
    others = {name: run.final[name] for name in run.final if name not in milestones}
    entry = nested(others, run.id, bootstrap)
    if run.failures:
        entry["failed"] = len(run.failures)
    for metric in milestones:
        steps = StepsToThreshold(run.final[metric], run.steps)
        entry[metric] = steps.summary(bootstrap, f"{run.id}/{metric}")
    if threshold is not None and run.stage in TO_THRESHOLD:
        steps = steps_to_return(run, threshold)
        # The stream keeps the name that it had when results were published.
        entry["steps_to_threshold"] = {
            **steps.summary(bootstrap, f"{run.id}/steps_to_return"),
            "threshold": threshold,
        }
    against = {
        other.id: {
            metric: asdict(improvement(run, other, metric, bootstrap))
            for metric in dict.fromkeys((run.task.objective, "return"))
            if metric in run.final and metric in other.final
        }
        for other in comparators(run, runs)
    }
    return entry | ({"probability_of_improvement": against} if against else {})


def _of_score(
    score: Score, scores: Sequence[Score], bootstrap: Bootstrap
) -> dict[str, Any]:
    """Distances from exact answers, and what perturbations leave of success."""
    name = score.run.name
    robustness = nested(score.robustness, f"robustness/{name}", bootstrap)
    for perturbation, entry in robustness.items():
        against = {
            other.run.id: asdict(
                robustness_improvement(score, other, perturbation, bootstrap)
            )
            for other in score_comparators(score, scores)
        }
        if against:
            entry["probability_of_improvement"] = against
    distances = {
        column: values
        for column, values in score.exact.items()
        if column.split("/")[1] in DISTANCES
    }
    exact = nested(distances, f"score/{name}", bootstrap)
    return {"robustness": robustness} | ({"exact": exact} if score.exact else {})
