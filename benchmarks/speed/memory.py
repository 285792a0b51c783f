"""Memory of a population over what it must remember (P9).

A training is made in a fresh process, its replay is filled, and it learns. What the
process had before does not count: the interpreter, the libraries, and what these
allocate when the first update is made, for which a small training is run.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice, product
from math import ceil
from pathlib import Path
from statistics import median

import torch

from benchmarks.speed.contest import Effort, apart
from benchmarks.speed.rows import Row, groups, markdown, spread
from benchmarks.speed.subject import HEAD, POPULATION, Case, cells, training
from pipeline.core.learning.replay_collector import ReplayCollector
from pipeline.core.training.loop import RECORD_EVERY, Training

UPDATES = 200
REPLAYS = (100_000, 1_000_000)
"""That of our studies, and that of the papers."""
CASES = (
    Case("sac", 4, 256, 256, program="graph"),
    Case("sac", 8, 256, 256, program="graph"),
    Case("ddpg", 4, 256, 256, program="graph"),
    Case("sql", 4, 128, 256, program="graph"),
    Case("sql", 8, 128, 64, program="graph"),
)
"""As a training computes that is long enough to fill its replay."""
REPEATS = 3
"""Enough for what hardly varies."""
MEBIBYTE = 2**20
STATUS = Path("/proc/self/status")
FORGET_PEAK = "5"
"""What Linux wants written so that the peak of resident memory counts from now."""


def resident(kind: str) -> int:
    """Resident memory of this process in bytes: `VmRSS` now, `VmHWM` at its peak."""
    found = re.search(rf"^{kind}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    assert found is not None, f"{STATUS} has no {kind}"
    return 1024 * int(found.group(1))


def grown(case: Case, replay: int, updates: int = UPDATES) -> dict[str, int]:
    """Bytes by which this process grows, and bytes of what the population remembers.

    Args:
        case: The population.
        replay: Transitions of each member.
        updates: With a full replay; at least so many.
    """
    small = Case(case.learner, 1, 16, 8, program=case.program)
    for _ in training(small, steps=20, replay=20, warmup=10):
        pass
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
    measured = training(case, steps=replay, replay=max(REPLAYS), warmup=1)
    fill(measured)
    for _ in islice(measured, 1 + ceil(updates / RECORD_EVERY)):
        pass  # the first record is of step 0
    peak = resident("VmHWM")
    tensors, _ = measured.state()
    sizes = {name: tensor.nbytes for name, tensor in tensors.items()}
    remembered = {
        "replay": sizes["experience/block"],
        "learners": sum(n for name, n in sizes.items() if name.startswith("agent/")),
    }
    return {"grown": peak - before} | remembered


def fill(measured: Training) -> None:
    """Keep as many transitions as there is room for, in place of gathering them."""
    collector = measured._collector
    assert isinstance(collector, ReplayCollector)
    block = collector._replay._block
    generator = torch.Generator().manual_seed(0)
    for member in block:
        member.normal_(generator=generator)
    collector._replay._added.fill_(block.shape[1])


def measure(effort: Effort) -> Iterator[list[Row]]:
    for case in CASES:
        apart(grown, case, RECORD_EVERY)  # compiles what is not on disk
    for case, replay in product(CASES, REPLAYS):
        yield [
            {
                **asdict(case),
                "transitions": replay,
                "repeat": repeat,
                **apart(grown, case, replay),
            }
            for repeat in range(min(effort.repeats, REPEATS))
        ]


def lines(rows: Sequence[Row]) -> Iterator[str]:
    yield from markdown(
        [
            *HEAD,
            "replay of",
            "replay, MiB",
            "weights and optimisers, MiB",
            "grown by, MiB",
            "over both",
        ],
        (_row(own) for own in groups(rows, *POPULATION, "transitions").values()),
    )


def _row(rows: Sequence[Row]) -> list[str]:
    parts = {
        name: [float(row[name]) / MEBIBYTE for row in rows]
        for name in ("replay", "learners", "grown")
    }
    needed = [
        sum(each) for each in zip(parts["replay"], parts["learners"], strict=True)
    ]
    over = [a / b for a, b in zip(parts["grown"], needed, strict=True)]
    return [
        *cells(rows[0]),
        str(rows[0]["transitions"]),
        f"{median(parts['replay']):.1f}",
        f"{median(parts['learners']):.1f}",
        spread(parts["grown"]),
        spread(over),
    ]
