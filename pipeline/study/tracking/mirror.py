"""What MLflow shows of a stage, worked out from the files that the stage wrote.

Nothing here knows MLflow: files in, names and numbers out.
"""

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.study.files import read_csv, read_json, read_table
from pipeline.study.layout import (
    picture_file,
    picture_name,
    seed_child,
    trial_child,
    trial_name,
)
from pipeline.study.nested import leaves
from pipeline.study.tracking.lockfile import Entry

Table = dict[str, npt.NDArray[np.float64]]

RENAMED: Final = {"task_name": "task", "algorithm_name": "algorithm"}
IDENTITY: Final = ("key", "stage", "run", "best")
"""Entries of `run.json` that are no parameters."""


class Point(NamedTuple):
    """One value of one metric."""

    metric: str
    step: int
    """Environment steps, per member."""
    value: float


@dataclass
class Content:
    """Parameters and metrics of one MLflow run."""

    params: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    failed: bool = False


@dataclass
class Mirror:
    """A parent run, its children by name, and its artifacts by path."""

    key: str
    note: str
    parent: Content
    children: dict[str, Content]
    artifacts: dict[PurePosixPath, Path]
    picture: Path | None
    """The figure of the report that shows this run alone; one of the artifacts."""


def mirror_of(entry: Entry, root: Path) -> Mirror:
    """Work out what MLflow shows of one stage instance.

    Raises:
        UserError: The outputs are not here, or not those that `dvc.lock` names.
    """
    artifacts = entry.files(root)
    if (picture := picture_of(entry, root)) is not None:
        artifacts[PurePosixPath("figures", picture.name)] = picture
    files = {
        path.name: file
        for path, file in artifacts.items()
        if path.parent.as_posix() in (".", "trials")
    }
    described = read_json(files["run.json"]) if "run.json" in files else {}
    steps = described.get("steps", 0)
    parent = Content(params=params_of(described))
    children: dict[str, Content] = {}
    if "records.csv" in files:
        records, final = (
            read_table(files["records.csv"]),
            read_table(files["final.csv"]),
        )
        children = _seeds(records, final, steps)
        parent.points = means(children)
    if "trials.csv" in files:
        objective = described["objective"]
        children = _trials(read_csv(files["trials.csv"]), objective, steps)
        _add_best(parent, children, described["best"], objective)
    if "metrics.json" in files:
        metrics = leaves(read_json(files["metrics.json"]), "/")
        parent.points += [
            Point(metric, steps, float(value))
            for metric, value in metrics
            if isinstance(value, int | float)
        ]
    return Mirror(
        key=described.get("key", entry.digest),
        note=_note(entry, described),
        parent=parent,
        children=children,
        artifacts=artifacts,
        picture=picture,
    )


def picture_of(entry: Entry, root: Path) -> Path | None:
    """The figure of the report that shows this run alone, if there is one."""
    path = root / picture_file(picture_name(entry.stage, entry.run))
    return path if entry.run and path.exists() else None


# ---------------------------------------------------------------------- parameters


def params_of(described: Mapping[str, object]) -> dict[str, str]:
    """The parameters of a run that `run.json` describes, flat and as text."""
    kept = [
        (RENAMED.get(name, name), value)
        for name, value in described.items()
        if name not in IDENTITY
    ]
    return {
        name: leaf if isinstance(leaf, str) else json.dumps(leaf, default=str)
        for top, value in kept
        for name, leaf in leaves(value, ".", top)
        if leaf is not None
    }


def child_params(child: str) -> dict[str, str]:
    """What the name of a child says: `seed 3` has the parameter `seed`."""
    kind, _, value = child.partition(" ")
    return {kind: value}


# ------------------------------------------------------------------------- metrics


def _seeds(records: Table, final: Table, steps: int) -> dict[str, Content]:
    """One child per seed, with its curves and the evaluation after training."""
    children = {
        (name := seed_child(int(seed))): Content(params=child_params(name))
        for seed in final["seed"]
    }
    for table, prefix in ((records, ""), (final, "final/")):
        at = table.get("step", np.full(len(table["seed"]), steps))
        for metric in table.keys() - {"seed", "step"}:
            for seed, step, value in zip(table["seed"], at, table[metric], strict=True):
                if not math.isnan(value):
                    point = Point(f"{prefix}{metric}", int(step), float(value))
                    children[seed_child(int(seed))].points.append(point)
    return children


def means(children: Mapping[str, Content]) -> list[Point]:
    """Mean over children of every metric, where every child has a value."""
    values = defaultdict(list)
    for child in children.values():
        for metric, step, value in child.points:
            values[metric, step].append(value)
    return [
        Point(metric, step, math.fsum(found) / len(found))
        for (metric, step), found in values.items()
        if len(found) == len(children)
    ]


def _trials(
    rows: list[dict[str, str]], objective: str, steps: int
) -> dict[str, Content]:
    """One child per trial, with what was tried and what came of it."""
    children = {}
    for row in rows:
        child = Content(failed=row["state"] != "COMPLETE")
        for column, cell in row.items():
            if column in ("batch", "slot", "state") or not cell:
                continue
            if column == "value" or column.startswith("value_seed_"):
                metric = column.replace("value_seed_", "value/seed_")
                metric = metric.replace("value", objective, 1)
                child.points.append(Point(metric, steps, float(cell)))
            else:
                child.params[column] = cell
        children[trial_child(trial_name(row["batch"], row["slot"]))] = child
    return children


def _add_best(
    parent: Content,
    children: Mapping[str, Content],
    best: Mapping[str, Any],
    objective: str,
) -> None:
    """Say on the parent which trial won, with what and by what."""
    if best["trial"] is None:
        return
    winner = children[trial_child(best["trial"])]
    parent.params["best.trial"] = best["trial"]
    parent.params |= {f"best.{name}": value for name, value in winner.params.items()}
    parent.points += [
        Point(f"best/{objective}", step, value)
        for metric, step, value in winner.points
        if metric == objective
    ]


# --------------------------------------------------------------------- description


def _note(entry: Entry, described: Mapping[str, Any]) -> str:
    """Say in a sentence what the run is."""
    purpose = entry.description or entry.name
    if not described:
        return f"{purpose[:1].upper()}{purpose[1:]}."
    seeds = ", ".join(str(seed) for seed in described["seeds"])
    start = described.get("start")
    return (
        f"{purpose[:1].upper()}{purpose[1:]}: "
        f"{described['algorithm_name']} on {described['task_name']}"
        f"{f', from pretrain@{start}' if start else ''}; "
        f"{described['steps']} environment steps of each of the seeds {seeds}."
    )
