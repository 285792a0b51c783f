"""What MLflow shows of a stage, worked out from the files that the stage wrote.

Nothing here knows MLflow: files in, names and numbers out.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.study.store.files import read_csv, read_json, read_table
from pipeline.study.store.layout import (
    FAILURES,
    TRIALS,
    part_name,
    picture_file,
    picture_name,
    seed_child,
)
from pipeline.study.store.nested import leaves
from pipeline.study.tracking import sweeps
from pipeline.study.tracking.content import Content, Point, child_params, params_of
from pipeline.study.tracking.lockfile import Entry

Table = dict[str, npt.NDArray[np.float64]]

TABLES: Final = {
    "records.csv": "",
    "final.csv": "final/",
    "scores.csv": "score/",
    "robustness.csv": "robustness/",
}
"""Tables with a row for every seed, and what their columns are called in MLflow."""


@dataclass
class Mirror:
    """A parent run, its children by name, and its artifacts by path."""

    key: str
    note: str
    parent: Content
    children: dict[str, Content]
    artifacts: dict[PurePosixPath, Path]
    pictures: list[Path]
    """Figures of the report that show this run alone; they are among the artifacts."""


def mirror_of(entry: Entry, root: Path) -> Mirror:
    """Work out what MLflow shows of one stage instance.

    Raises:
        UserError: The outputs are not here, or not those that `dvc.lock` names.
    """
    artifacts = entry.files(root)
    pictures = pictures_of(entry, root)
    artifacts |= {PurePosixPath("figures", path.name): path for path in pictures}
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
            child.status = "FAILED"
            child.params["failed"] = f"after step {row['step']}: {row['reason']}"
    if TRIALS in files:
        won, children = sweeps.of_files(described, files)
        parent.params |= won.params
        parent.points = won.points
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
        pictures=pictures,
    )


def pictures_of(entry: Entry, root: Path) -> list[Path]:
    """The figures of the report that show this run alone; of a sweep there are more."""
    name = picture_name(entry.stage, entry.run)
    names = [name, part_name(name, "*")] if entry.stage == "sweep" else [name]
    return sorted(file for name in names for file in root.glob(f"{picture_file(name)}"))


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
