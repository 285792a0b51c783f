"""Rows of what was measured: files of them, and what tables say of them."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np
from scipy.special import stdtrit

from benchmarks.machine import machine

Cell: TypeAlias = str | int | float
Row: TypeAlias = Mapping[str, Cell]
PACKAGES = {
    "torch": "torch",
    "numpy": "numpy",
    "gymnasium": "gymnasium",
    "mujoco": "mujoco",
    "stable_baselines3": "stable-baselines3",
    "sbx": "sbx-rl",
    "jax": "jax",
}
"""Modules, and the packages whose versions are told where they are installed."""


def write(path: Path, rows: Sequence[Row]) -> None:
    """Where and when as a comment, then the rows; whole or not at all."""
    packages = [package for module, package in PACKAGES.items() if find_spec(module)]
    about = {
        "machine": machine(*packages),
        "date": datetime.now(UTC).date().isoformat(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", newline="") as file:
        file.write(f"# {json.dumps(about)}\n")
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


def read(path: Path) -> tuple[str, list[dict[str, Cell]]]:
    """Where and when, in a sentence, and the rows."""
    with path.open(newline="") as file:
        about = json.loads(file.readline().removeprefix("# "))
        rows = [
            {name: _cell(text) for name, text in row.items() if text != ""}
            for row in csv.DictReader(file)
        ]
    return f"Measured on {about['date']} on: {about['machine']}", rows


def _cell(text: str) -> Cell:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def groups(rows: Iterable[Row], *names: str) -> dict[tuple[Cell, ...], list[Row]]:
    """Rows that have the same in these columns, in the order they come in."""
    found: dict[tuple[Cell, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(name, "") for name in names), []).append(row)
    return found


def rates(rows: Iterable[Row]) -> list[float]:
    """What was done in a second, one for each row."""
    return [float(row["done"]) / float(row["seconds"]) for row in rows]


def ratios(ours: Iterable[Row], theirs: Iterable[Row]) -> list[float]:
    """Our rate over theirs, in each repetition."""
    return [a / b for a, b in zip(rates(ours), rates(theirs), strict=True)]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median, and the smallest and largest, to significant digits."""
    texts = (
        _significant(x, digits) for x in (median(values), min(values), max(values))
    )
    return "{} ({} … {})".format(*texts)


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean, and the ends of its 95 % interval (Student's t).

    The bootstrap's has 84 % instead of 95 % at five values.
    """
    mean = float(values.mean())
    error = values.std(ddof=1) / math.sqrt(len(values))
    half = float(error * stdtrit(len(values) - 1, 0.975))
    return mean, mean - half, mean + half


def _significant(value: float, digits: int) -> str:
    """1234.5 as 1230 and 0.012345 as 0.0123: no exponents."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:g}"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"
