"""What one MLflow run shows, whether a stage says it or the files that it wrote."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from pipeline.study.store.nested import leaves

RENAMED: Final = {"task_name": "task", "algorithm_name": "algorithm"}
IDENTITY: Final = ("key", "stage", "run", "best")
"""Entries of `run.json` that are no parameters."""

Status = Literal["FINISHED", "FAILED", "KILLED"]
"""MLflow's words for how a run ended."""


class Point(NamedTuple):
    """One value of one metric."""

    metric: str
    step: int
    """Environment steps, per member."""
    value: float


@dataclass
class Content:
    """Title, parameters and metrics of one MLflow run, and how it ended."""

    title: str = ""
    """What it is called; without one, a child is called by its name."""
    params: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    status: Status = "FINISHED"


def params_of(described: Mapping[str, object]) -> dict[str, str]:
    """The parameters of a run that `run.json` describes, flat and as text."""
    kept = {name: described[name] for name in described if name not in IDENTITY}
    return {RENAMED.get(name, name): text for name, text in flat(kept).items()}


def flat(values: Mapping[str, object]) -> dict[str, str]:
    """Nested values as parameters: dotted names and text, without those of nothing."""
    return {
        name: leaf if isinstance(leaf, str) else json.dumps(leaf, default=str)
        for name, leaf in leaves(values, ".")
        if leaf not in (None, "")
    }


def child_params(child: str) -> dict[str, str]:
    """What the name of a child says: `seed 3` has the parameter `seed`."""
    kind, _, value = child.partition(" ")
    return {kind: value}
