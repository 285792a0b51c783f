"""How long a fresh process takes until it can do something."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.speed.contest import Effort, environment
from benchmarks.speed.rows import Row, groups, markdown, spread

FIRST_UPDATE = """
from benchmarks.speed.subject import Case, updating
updating(Case("{}", 5, 128, 64))(1)
"""
MOMENTS: Final[Mapping[str, str]] = {
    "the interpreter has started": "",
    "`pipeline.study.training.run` is imported (a stage, before its workers)": (
        "import pipeline.study.training.run"
    ),
    "`torch` is imported": "import torch",
    "`pipeline.core.training` is imported (a worker)": "import pipeline.core.training",
    "`mlflow` is imported": "import mlflow",
    "first update of soft Q-learning": FIRST_UPDATE.format("sql"),
    "first update of soft actor-critic": FIRST_UPDATE.format("sac"),
    "first update of DDPG": FIRST_UPDATE.format("ddpg"),
}
"""What a process does before its time is up."""


def measure(effort: Effort) -> list[Row]:
    """Seconds from the start of a process to its end, one moment after the other."""
    return [
        {"moment": moment, "repeat": repeat, "seconds": _seconds(program)}
        for repeat in range(effort.repeats)
        for moment, program in MOMENTS.items()
    ]


def _seconds(program: str) -> float:
    with environment(1):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - begin


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """A row for every moment."""
    yield from markdown(
        ["after the start of a process, until", "seconds"],
        (
            [str(moment), spread([float(row["seconds"]) for row in own])]
            for (moment,), own in groups(rows, "moment").items()
        ),
    )
