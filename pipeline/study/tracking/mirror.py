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

from pipeline.study.store.files import read_csv, read_json, read_table
from pipeline.study.store.layout import (
    FAILURES,
    picture_file,
    picture_name,
    seed_child,
    trial_child,
)
from pipeline.study.store.nested import leaves
from pipeline.study.tracking.lockfile import Entry

Table = dict[str, npt.NDArray[np.float64]]

RENAMED: Final = {"task_name": "task", "algorithm_name": "algorithm"}
TABLES: Final = {
    "records.csv": "",
    "final.csv": "final/",
    "scores.csv": "score/",
    "robustness.csv": "robustness/",
}
"""Tables with a row for every seed, and what their columns are called in MLflow."""
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
    tables = {prefix: files[name] for name, prefix in TABLES.items() if name in files}
    if tables:
        children = _seeds(tables, steps)
        parent.points = means(children)
    if FAILURES in files:
        for row in read_csv(files[FAILURES]):
            child = children[seed_child(int(row["seed"]))]
            child.failed = True
            child.params["failed"] = f"after step {row['step']}: {row['reason']}"
    if "trials.csv" in files:
        objective = described["objective"]
        children = _trials(read_csv(files["trials.csv"]), objective, steps)
        _add_best(parent, children, described["best"], objective)
    for name in ("metrics.json", "summary.json"):
        if name in files:
            parent.points += [
                Point(metric, steps, float(value))
                for metric, value in leaves(read_json(files[name]), "/")
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
    return path if path.exists() else None


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


def _seeds(tables: Mapping[str, Path], steps: int) -> dict[str, Content]:
    """One child per seed, with what each table says about it; prefix to file."""
    children: dict[str, Content] = {}
    for prefix, file in tables.items():
        table = read_table(file)
        at = table.get("step", np.full(len(table["seed"]), steps))
        for seed in table["seed"]:
            name = seed_child(int(seed))
            children.setdefault(name, Content(params=child_params(name)))
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
            if column in ("trial", "state", "reason") or not cell:
                continue
            if column == "value" or column.startswith("value_seed_"):
                metric = column.replace("value_seed_", "value/seed_")
                metric = metric.replace("value", objective, 1)
                child.points.append(Point(metric, steps, float(cell)))
            else:
                child.params[column] = cell
        children[trial_child(row["trial"])] = child
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
    if "seeds" not in described:
        on = f": {described['task_name']}" if "task_name" in described else ""
        return f"{purpose[:1].upper()}{purpose[1:]}{on}."
    seeds = ", ".join(str(seed) for seed in described["seeds"])
    start = described.get("start")
    steps = described.get("steps")
    trained = f"{steps} environment steps of each of the " if steps else ""
    return (
        f"{purpose[:1].upper()}{purpose[1:]}: "
        f"{described['algorithm_name']} on {described['task_name']}"
        f"{f', from pretrain@{start}' if start else ''}; "
        f"{trained}seeds {seeds}."
    )
