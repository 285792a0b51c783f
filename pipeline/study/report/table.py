"""Tables, for the page and for Markdown: numbers as a reader wants them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pipeline.study.report.figures.style import describe
from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.store.runs import Run, failures

Entry: TypeAlias = Mapping[str, Any]

MISSING: Final = "–"
"""What a cell says that has nothing to say."""


@dataclass(frozen=True)
class Table:
    """Text in rows; the first column names the row.

    Of the lines of a cell every second one explains the line above it.
    """

    name: str
    """Of its file, without `.md`."""
    columns: list[str]
    rows: list[list[str]]
    caption: str = ""
    ends_in_verdict: bool = False
    """Whether the last column begins with a verdict, which has to be seen first."""


def of_named_cells(name: str, rows: Sequence[Mapping[str, str]]) -> Table:
    """A table whose cells are named by their columns, alike in every row."""
    columns = list(rows[0]) if rows else []
    return Table(name, columns, [list(row.values()) for row in rows])


def markdown(table: Table) -> Iterator[str]:
    """The lines of a table in Markdown; the lines of a cell become breaks."""
    if table.caption:
        yield from (table.caption, "")
    yield "| " + " | ".join(table.columns) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in table.rows:
        cells = [cell.replace("\n", "<br>") for cell in row]
        if table.ends_in_verdict:
            verdict, *explained = cells[-1].split("<br>")
            cells[-1] = "<br>".join([f"**{verdict}**", *explained])
        yield "| " + " | ".join(cells) + " |"


def interval(entry: Entry | None, *, percent: bool = False) -> str:
    """`0.95 [0.92, 0.97]`, of an entry of `metrics.json`, if there is one."""
    if entry is None:
        return MISSING
    estimate = entry["iqm"] if "iqm" in entry else entry["estimate"]
    values = [
        -math.inf if value is None else value
        for value in (estimate, entry["low"], entry["high"])
    ]
    if percent:
        return Interval(*(100 * value for value in values)).text(" %")
    return Interval(*values).text()


def titled(run: Run) -> str:
    """The cell that names the row of a run."""
    failed = f", {text}" if (text := failures(run)) else ""
    return f"{describe(run)}\n{run.id}{failed}"


def place(name: str) -> str:
    """`(2.5, 2.5)`, of the name of a place in `metrics.json`."""
    return f"({name.replace(':', ', ')})"
