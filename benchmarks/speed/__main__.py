"""Speed and memory, side by side with what people use today.

    python -m benchmarks.speed                  # every table, about an hour
    python -m benchmarks.speed updates peers    # some of them
    python -m benchmarks.speed gpu              # populations on a GPU, where one is
    python -m benchmarks.speed tables           # again, from what was measured

Every table prints Markdown, writes its rows to `benchmarks/results/speed_TABLE.csv`,
and goes into `docs/benchmarks.md`, between the comments that have its name.
SBX is needed for `peers` only; `benchmarks/peer.py` says how to install it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed import (
    gpu,
    memory,
    peers,
    rows,
    start,
    steps,
    updates,
)
from benchmarks.speed.contest import Effort
from benchmarks.speed.rows import Row

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Table:
    """How something is measured, and what is said of it."""

    measure: Callable[[Effort], Iterator[list[Row]]]
    """Part by part: what is measured is kept, whatever becomes of the rest."""
    lines: Callable[[Sequence[Row]], Iterator[str]]


MODULES = (updates, peers, steps, memory, start, gpu)
TABLES: Mapping[str, Table] = {
    module.__name__.rpartition(".")[2]: Table(module.measure, module.lines)
    for module in MODULES
}
ELSEWHERE = ("gpu",)
"""What is measured only where it is asked for by name."""


def file(table: str) -> Path:
    """Where the rows of a table are."""
    return RESULTS / f"speed_{table}.csv"


def text(table: str) -> str:
    """Where and when a table was measured, and the table; or that it was not."""
    if not file(table).exists():
        return "Not measured."
    where, found = rows.read(file(table))
    return "\n".join([where, "", *TABLES[table].lines(found)])


def with_table(document: str, table: str, content: str) -> str:
    """The document with a table where its comments are.

    Raises:
        ValueError: They are not there.
    """
    begin, end = f"<!-- speed: {table} -->", "<!-- end -->"
    before, found, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"no {begin} … {end}")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed")
    names = [*TABLES, "tables"]
    parser.add_argument("table", nargs="*", help=", ".join(names))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a repetition")
    options = parser.parse_args(given)
    if unknown := set(options.table) - set(names):
        parser.error(f"no table {', '.join(sorted(unknown))}; {', '.join(names)}")
    return options


def main(given: Sequence[str]) -> None:
    options = arguments(given)
    effort = Effort(options.repeats, options.seconds)
    everywhere = [name for name in TABLES if name not in ELSEWHERE]
    for name in options.table or everywhere:
        if name == "tables":
            measured = list(TABLES)
        else:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            found: list[Row] = []
            for part in TABLES[name].measure(effort):
                found += part
                rows.write(file(name), found)
            measured = [name]
        for table in measured:
            content = text(table)
            print(f"## {table}\n\n{content}\n", flush=True)
            DOCUMENT.write_text(with_table(DOCUMENT.read_text(), table, content))


if __name__ == "__main__":
    main(sys.argv[1:])
