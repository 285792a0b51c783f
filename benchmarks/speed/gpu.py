"""Populations on a GPU (P5): updates of every size, precision and way of launching.

    python -m benchmarks.speed gpu --repeats 5 --seconds 0.2     # at most five minutes

One cell of the table after the other, alone on the GPU; the populations draw their own
noise there. The most important cells come first, and what there was no time for is
named below the table.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from statistics import median
from typing import Any, TypeAlias

import torch

from benchmarks.speed.contest import Effort
from benchmarks.speed.device import Device, Way, described, timed
from benchmarks.speed.necessary import flops, products
from benchmarks.speed.rows import Row, groups, markdown, rates, spread
from benchmarks.speed.subject import Case, Learner

BUDGET = 240
"""Seconds of all cells together."""
LARGE = 256
"""Members in P5."""
MEMBERS = (LARGE, 512, 64, 8, 1)
LEARNERS: Mapping[Learner, int] = {"sac": 256, "sql": 128}
"""With how many units in both layers."""
BATCH = 256
WAYS = (
    Way("none", False, "float32"),
    Way("none", True, "float32"),
    Way("default", True, "float32"),
    Way("default", True, "TF32"),
    Way("default", True, "bfloat16"),
    Way("default", False, "TF32"),
    Way("reduce-overhead", False, "TF32"),
    Way("max-autotune", False, "TF32"),
)
EXPECTED: Mapping[str, float] = {
    "none": 5, "default": 25, "reduce-overhead": 25, "max-autotune": 60,
}  # fmt: skip
"""Seconds of a cell, compilation included: none is begun when fewer are left."""
NAMES = {"none": "eager", "default": "compiled"}
KEYS = ("learner", "compiler", "recorded", "precision", "members")
Cell: TypeAlias = tuple[Case, Way]


def cells() -> list[Cell]:
    """P5, then what is quick, then others of that size, then all that compile."""
    found = [
        (Case(learner, members, width, BATCH), way)
        for way, (learner, width), members in product(WAYS, LEARNERS.items(), MEMBERS)
        if not way.torchs_own or (learner == "sac" and members in (1, LARGE))
    ]
    return sorted(found, key=_rank)


def _rank(cell: Cell) -> int:
    case, way = cell
    large = case.members == LARGE
    if large and case.learner == "sac" and way.compiler != "max-autotune":
        return 0
    if way.compiler == "none":
        return 1
    return 2 if large else 3


def within(
    budget: float, wanted: Sequence[Cell], device: Device, effort: Effort
) -> Iterator[list[Row]]:
    """Rows of one cell after the other, while there is time.

    A cell that does not work, for want of memory say, is told and left out.
    """
    end = time.monotonic() + budget
    for case, way in wanted:
        left = end - time.monotonic()
        about = described(case, way)
        _say(f"{_kind(about)} × {case.members}: {left:.0f} s left of {budget:.0f}")
        if left < EXPECTED[way.compiler]:
            _say("  left out: there is no time for it")
            continue
        try:
            yield timed(case, way, device, effort)
        except RuntimeError as error:
            _say(f"  failed: {error}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(effort: Effort) -> Iterator[list[Row]]:
    """Seconds of updates, cell by cell.

    Raises:
        SystemExit: There is no GPU.
    """
    if not torch.cuda.is_available():
        raise SystemExit("needed: a GPU, and a build of torch for it")
    yield from within(BUDGET, cells(), "cuda", effort)


def lines(rows: Sequence[Row]) -> Iterator[str]:
    yield f"GPU: {rows[0]['device']}.\n"
    columns = ["learner", "units", "members", "program", "precision"]
    columns += ["an update, ms", "member-updates/s", "necessary TFLOP/s", "GiB"]
    yield from markdown(columns, map(_row, groups(rows, *KEYS).values()))
    there = set(map(_key, rows))
    every = [described(*cell) for cell in cells()]
    missing = [about for about in every if _key(about) not in there]
    if missing:
        yield "\nNot measured:\n"
    for own in groups(missing, *KEYS[:-1]).values():
        members = ", ".join(str(about["members"]) for about in own)
        yield f"- {_kind(own[0])} × {members}"


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a row that was measured, and the same of one that is only described."""
    return tuple(str(row[name]) for name in KEYS)


def _kind(row: Mapping[str, Any]) -> str:
    return f"{row['learner']}, {_program(row)}, {row['precision']}"


def _program(row: Mapping[str, Any]) -> str:
    program = str(NAMES.get(row["compiler"], row["compiler"]))
    if str(row["recorded"]) == "True":
        return f"{program}, CUDA graph"
    return f"{program}, no CUDA graph" if row.get("refused") else program


def _row(rows: Sequence[Row]) -> list[str]:
    first, found = rows[0], rates(rows)
    case = Case.of(first)
    return [
        case.learner,
        f"2×{case.width}",
        str(case.members),
        _program(first),
        str(first["precision"]),
        spread([1e3 / rate for rate in found]),
        spread([case.members * rate for rate in found]),
        f"{flops(products(case)) * median(found) / 1e12:.3g}",
        f"{float(first['gibibytes']):.1f}",
    ]
