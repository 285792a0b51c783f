"""Updates alone: their rates, beside those of the products that they need (P6)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import groupby, product

from benchmarks.speed.contest import Contestant, Effort, contest
from benchmarks.speed.necessary import (
    Product,
    flops,
    matrix_products,
    multiplying,
    products,
)
from benchmarks.speed.rows import Row, groups, markdown, rates, spread
from benchmarks.speed.subject import HEAD, Case, Learner, Program, cells, updating

SIZES: Mapping[Learner, tuple[tuple[int, int, int], ...]] = {
    "sql": ((1, 128, 64), (8, 128, 64), (1, 128, 256)),
    "sac": ((1, 128, 64), (8, 128, 64), (1, 256, 256)),
    "ddpg": ((1, 128, 64), (8, 128, 64), (1, 256, 256)),
}
"""Members, width and batch of populations."""
PROGRAMS: tuple[Program, ...] = "eager", "graph"
LARGE = Product(1, 2048, 2048, 2048, "neither")
CASE = [field.name for field in fields(Case)]


def cases() -> Iterator[Case]:
    """Populations of every size, compiled and not."""
    for learner, sizes in SIZES.items():
        for program, size in product(PROGRAMS, sizes):
            yield Case(learner, *size, program=program)


def contestants(measured: Sequence[Case]) -> Iterator[Contestant]:
    """A large product, and for each case its updates and their matrix products."""
    host = "updates"
    yield Contestant({"what": "large product"}, multiplying, ([LARGE],), host)
    for case in measured:
        labels = asdict(case)
        yield Contestant(labels | {"what": "update"}, updating, (case,), host)
        needed = matrix_products(case)
        yield Contestant(labels | {"what": "products"}, multiplying, (needed,), host)


def measure(effort: Effort) -> Iterator[list[Row]]:
    """Seconds of updates, of their products, and of a large product."""
    for _, own in groupby(cases(), lambda case: (case.learner, case.program)):
        yield contest(list(contestants(list(own))), effort)


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The machine's rate, and a row for every case."""
    by_what = {what: list(own) for (what,), own in groups(rows, "what").items()}
    peak = [LARGE.flops * rate / 1e9 for rate in rates(by_what["large product"])]
    yield "One thread. A product of two 2048×2048 matrices ran at "
    yield f"{spread(peak)} GFLOP/s.\n"
    bare = groups(by_what["products"], *CASE)
    yield from markdown(
        [
            *HEAD,
            "particles",
            "program",
            "an update, ms",
            "member-updates/s",
            "necessary MFLOP",
            "GFLOP/s",
            "bare products, GFLOP/s",
            "their share of the update's time, %",
        ],
        (
            _row(Case.of(own[0]), own, bare[key])
            for key, own in groups(by_what["update"], *CASE).items()
        ),
    )


def _row(case: Case, own: list[Row], bare: list[Row]) -> list[str | int]:
    necessary = flops(products(case))
    multiplied = flops(matrix_products(case))
    updates, alone = rates(own), rates(bare)
    share = [100 * a / b for a, b in zip(updates, alone, strict=True)]
    return [
        *cells(own[0]),
        case.particles if case.learner == "sql" else "",
        case.program,
        spread([1e3 / rate for rate in updates]),
        spread([case.members * rate for rate in updates]),
        f"{necessary / 1e6:.0f}",
        spread([necessary * rate / 1e9 for rate in updates]),
        spread([multiplied * rate / 1e9 for rate in alone]),
        spread(share),
    ]
