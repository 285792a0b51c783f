"""One thread, two threads, and two processes of one thread."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from benchmarks.speed.contest import Contestant, Effort, contest
from benchmarks.speed.rows import Row, groups, markdown, rates, ratios, spread
from benchmarks.speed.subject import HEAD, POPULATION, Case, cells, updating

CASES = (
    Case("sql", 1, 128, 256),
    Case("sql", 5, 128, 64),
    Case("sac", 1, 256, 256),
    Case("sac", 8, 128, 64),
    Case("ddpg", 8, 128, 64),
)
WAYS = ((1, 1), (2, 1), (1, 2))
"""(threads, processes)."""


def measure(effort: Effort) -> Iterator[list[Row]]:
    yield contest(
        [
            Contestant(
                asdict(case) | {"threads": threads, "processes": processes},
                updating,
                (case,),
                f"of {threads}",
                each=case.members,
                threads=threads,
                processes=processes,
            )
            for case in CASES
            for threads, processes in WAYS
        ],
        effort,
    )


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """A row for every case; two processes count together."""
    yield from markdown(
        [
            *HEAD,
            "one thread, member-updates/s",
            "two threads",
            "over one",
            "two processes of one thread",
            "over one",
        ],
        (_row(own) for own in groups(rows, *POPULATION).values()),
    )


def _row(rows: Sequence[Row]) -> list[str]:
    ways = groups(rows, "threads", "processes")
    one, two, both = (ways[way] for way in WAYS)
    start = [*cells(rows[0]), spread(rates(one))]
    for way in (two, both):
        start += [spread(rates(way)), spread(ratios(way, one))]
    return start
