"""What MLflow shows of a sweep, of one that goes on and of one that is in files.

Both say it with the functions of this file, and so with the same words.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.core.config.values import parsed
from pipeline.study.params.ranges import Range
from pipeline.study.params.space import Params, dimensions, read_params
from pipeline.study.store.files import read_csv
from pipeline.study.store.layout import (
    CURVES,
    FRESH,
    FRESH_CHILD,
    TRIALS,
    trial_child,
    trial_title,
)
from pipeline.study.tracking.content import Content, Point, Status, flat

STATUS: Final[dict[str, Status]] = {
    "COMPLETE": "FINISHED",
    "PRUNED": "KILLED",
    "FAIL": "FAILED",
}
BEST: Final = {"best": True}
"""A parameter of the best trial."""


def status(state: str) -> Status:
    """MLflow's word for how a trial went."""
    return STATUS[state]


def end(state: str, reason: str) -> dict[str, str]:
    """Parameters that say how a trial went, and why it is not complete."""
    return {"state": state, "reason": reason}


def metrics(
    metric: str, statistic: float | None, values: Mapping[int, float | None]
) -> dict[str, float]:
    """The statistic of a trial, and the value of each seed, where there is one."""
    named = {metric: statistic}
    named |= {f"{metric}/seed_{seed}": value for seed, value in values.items()}
    return {
        name: value
        for name, value in named.items()
        if value is not None and math.isfinite(value)
    }


def best_params(found: Mapping[str, Any], params: Params) -> dict[str, object]:
    """Parameters of a sweep: which trial won, and with what.

    `found` is what `run.json` says of that trial.
    """
    named = {f"best.{name}": value for name, value in params.items()}
    return {"best.trial": found["trial"], **named}


def best_metrics(objective: str, found: Mapping[str, Any]) -> dict[str, float]:
    """Metrics of a sweep: what the best trial reached, and what fresh seeds say."""
    worth = {"best": found["value"], "fresh": found["fresh"]}
    return {f"{name}/{objective}": v for name, v in worth.items() if v is not None}


def of_files(
    described: Mapping[str, Any], files: Mapping[str, Path]
) -> tuple[Content, dict[str, Content]]:
    """What the tables of a sweep say: of the sweep, and of each child by name."""
    space = dimensions(parsed(dict[str, Range], described["space"]))
    objective, steps = described["objective"], described["steps"]
    seeds, found = described["seeds"], described["best"]

    def points(metric: str, step: int, row: Mapping[str, str]) -> list[Point]:
        values = {seed: _number(row[f"value_seed_{seed}"]) for seed in seeds}
        return _points(step, metrics(metric, _number(row["value"]), values))

    children, tried = {}, dict[int, Params]()
    for row in read_csv(files[TRIALS]):
        number, params = int(row["trial"]), read_params(space, row)
        tried[number] = params
        said = end(row["state"], row["reason"])
        children[trial_child(number)] = Content(
            title=trial_title(number, params),
            params=flat({**params, **said}),
            points=points(objective, steps, row),
            status=status(row["state"]),
        )
    for row in read_csv(files[CURVES]):
        child = children[trial_child(row["trial"])]
        child.points += points(f"evaluation/{objective}", int(row["step"]), row)
    children[trial_child(found["trial"])].params |= flat(BEST)
    fresh = {int(row["seed"]): _number(row["value"]) for row in read_csv(files[FRESH])}
    worth = metrics(objective, found["fresh"], fresh)
    children[FRESH_CHILD] = Content(points=_points(steps, worth))
    parent = Content(
        params=flat(best_params(found, tried[found["trial"]])),
        points=_points(steps, best_metrics(objective, found)),
    )
    return parent, children


def _points(step: int, metrics: Mapping[str, float]) -> list[Point]:
    return [Point(metric, step, value) for metric, value in metrics.items()]


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
