"""How long a fresh process takes until it can do something."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Final
from unittest import mock

from benchmarks.speed.contest import Effort, environment
from benchmarks.speed.rows import Row, groups, markdown, spread

FIRST_UPDATE = """
from benchmarks.speed.subject import Case, updating
updating(Case("{}", 5, 128, 64, program="{}"))(1)
"""
MOMENTS: Final[Mapping[str, str]] = {
    "the interpreter has started": "",
    "`pipeline.study.training.run` is imported (a stage, before its workers)": (
        "import pipeline.study.training.run"
    ),
    "`torch` is imported": "import torch",
    "`pipeline.core.training.loop` is imported (a worker)": (
        "import pipeline.core.training.loop"
    ),
    "`mlflow` is imported": "import mlflow",
    "first update of soft Q-learning": FIRST_UPDATE.format("sql", "eager"),
    "first update of soft actor-critic": FIRST_UPDATE.format("sac", "eager"),
    "first update of DDPG": FIRST_UPDATE.format("ddpg", "eager"),
}
"""What a process does before its time is up."""
GRAPHS: Final[Mapping[str, str]] = {
    f"first update of {says} as a graph": FIRST_UPDATE.format(learner, "graph")
    for learner, says in (
        ("sql", "soft Q-learning"),
        ("sac", "soft actor-critic"),
        ("ddpg", "DDPG"),
    )
}
"""The same in a program that has to be compiled, or found on disk."""


def measure(effort: Effort) -> Iterator[list[Row]]:
    """Seconds from the start of a process to its end, one moment after the other."""
    for repeat in range(effort.repeats):
        yield [
            {"moment": moment, "repeat": repeat, "seconds": seconds}
            for moment, seconds in _moments()
        ]


def _moments() -> Iterator[tuple[str, float]]:
    for moment, program in MOMENTS.items():
        yield moment, _seconds(program)
    for moment, program in GRAPHS.items():
        with TemporaryDirectory() as folder:
            cache = {"TORCHINDUCTOR_CACHE_DIR": folder}
            yield f"{moment}, compiled", _seconds(program, cache)
            yield f"{moment}, found on disk", _seconds(program, cache)


def _seconds(program: str, variables: Mapping[str, str] | None = None) -> float:
    with environment(), mock.patch.dict(os.environ, variables or {}):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - begin


def lines(rows: Sequence[Row]) -> Iterator[str]:
    yield from markdown(
        ["after the start of a process, until", "seconds"],
        (
            [str(moment), spread([float(row["seconds"]) for row in own])]
            for (moment,), own in groups(rows, "moment").items()
        ),
    )
