"""The tables of the report: numbers as a reader wants them, `0.95 [0.92, 0.97]`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from pipeline.core.config.values import Value
from pipeline.study.params.study import Study
from pipeline.study.report.figures.style import METRICS, describe
from pipeline.study.store.files import read_yaml
from pipeline.study.store.layout import best_file, instance, readable
from pipeline.study.store.nested import leaves
from pipeline.study.store.runs import Run

Entry: TypeAlias = Mapping[str, Any]

COLUMNS: Final = {
    "multigoal": ("multi_goal_score", "goals_reached", "goal_entropy", "return"),
    "locomotion": ("return", "distance", "forward_distance", "direction_spread"),
    "linear_quadratic": ("return",),
    "gymnasium": ("return",),
}
"""Metrics in the table of a kind of task."""


@dataclass(frozen=True)
class Table:
    """Text in rows; the first column names the row.

    Of the lines of a cell every second one explains the line above it.
    """

    columns: list[str]
    rows: list[list[str]]


def number(value: float, digits: int) -> str:
    """`-1 234.5` with a minus sign and thin spaces."""
    text = f"{value:,.{digits}f}".replace(",", "\u2009")
    return text.replace("-", "\u2212")


def digits_for(*values: float) -> int:
    """Decimals that show about three significant digits of the largest."""
    largest = max(abs(value) for value in values)
    return next((d for d, limit in enumerate((100, 10)) if largest >= limit), 2)


def interval(entry: Entry, *, estimate: str = "iqm") -> str:
    """`0.95 [0.92, 0.97]`."""
    values = [entry[name] for name in (estimate, "low", "high")]
    digits = digits_for(*values)
    middle, low, high = (number(value, digits) for value in values)
    return f"{middle} [{low}, {high}]"


def results(runs: Sequence[Run], metrics: Mapping[str, Any]) -> Table:
    """One row per run: every metric with its interval, arrivals, the odds to DDPG."""
    entries = [metrics[run.stage][run.name] for run in runs]
    makers: dict[str, Callable[[Run, Entry], str]] = {
        METRICS.get(metric, metric).split(" (")[0]: _final(metric)
        for metric in COLUMNS[runs[0].task.kind]
    }
    for metric, title in (
        ("steps_to_all_goals", "steps to all goals"),
        ("steps_to_return", "steps to the set return"),
    ):
        if any(metric in entry for entry in entries):
            makers[title] = _arrival(metric)
    if any("probability_of_improvement" in entry for entry in entries):
        makers["P(better than rival)"] = _improvements
    return Table(
        ["run", *makers],
        [
            [
                f"{describe(run)}\n{run.id}",
                *(make(run, entry) for make in makers.values()),
            ]
            for run, entry in zip(runs, entries, strict=True)
        ],
    )


def _final(metric: str) -> Callable[[Run, Entry], str]:
    def cell(run: Run, entry: Entry) -> str:
        if metric not in entry:
            return "–"
        seeds, total = entry[metric]["seeds"], len(run.seeds)
        missing = f"\nonly {seeds} of {total} seeds" if seeds < total else ""
        return interval(entry[metric]) + missing

    return cell


def _arrival(metric: str) -> Callable[[Run, Entry], str]:
    def cell(run: Run, entry: Entry) -> str:
        if metric not in entry:
            return "–"
        found = entry[metric]
        total = len(run.seeds)
        beyond = "> " if found["share"] < 1 / 2 else ""
        arrived = f"{round(found['share'] * total)} of {total} seeds"
        return f"{beyond}{number(found['median'], 0)}\n{arrived}"

    return cell


def _improvements(run: Run, entry: Entry) -> str:
    """In the task's objective, against each rival."""
    against = entry.get("probability_of_improvement", {})
    return (
        "\n".join(
            f"{interval(found[run.task.objective], estimate='estimate')}\n{rival}"
            for rival, found in against.items()
            if run.task.objective in found
        )
        or "–"
    )


# ----------------------------------------------------------------------- settings


def beside(settings: Mapping[str, Any], title: str) -> Table:
    """Settings of several things, one column each, one row per dotted name."""
    columns = {
        name: {path: _text(leaf) for path, leaf in leaves(_plain(value), ".")}
        for name, value in settings.items()
    }
    names = dict.fromkeys(key for column in columns.values() for key in column)
    return Table(
        [title, *columns],
        [[name, *(c.get(name, "–") for c in columns.values())] for name in names],
    )


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Value) else value


def _text(leaf: Any) -> str:
    """A setting as it is shown."""
    if isinstance(leaf, float):
        return f"{leaf:.4g}"
    if isinstance(leaf, list):
        return ", ".join(str(item) for item in leaf)
    return "–" if leaf is None else str(leaf)


def trained(study: Study, sweeps: Path) -> Table:
    """The algorithms as training used them: `best.yaml` of every sweep."""
    return beside(
        {name: _chosen(name, sweeps) for name in study.sweep.runs},
        "setting",
    )


def _chosen(algorithm: str, sweeps: Path) -> Any:
    path = best_file(algorithm, sweeps)
    with readable(path, instance("sweep", algorithm)):
        return read_yaml(path)


def trainings(runs: Sequence[Run]) -> Table:
    """What was trained."""
    return Table(
        ["run", "algorithm", "task", "α", "steps", "seeds", "start"],
        [
            [
                run.id,
                run.algorithm_name,
                run.task_name,
                "–" if run.temperature is None else f"{run.temperature:.4g}",
                number(run.steps, 0),
                ", ".join(str(seed) for seed in run.seeds),
                "fresh" if run.start is None else f"pretrain/{run.start}",
            ]
            for run in runs
        ],
    )
