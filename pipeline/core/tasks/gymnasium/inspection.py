"""Whether an environment can be a task: it exists, its spaces are boxes, it behaves.

What is not part of Gymnasium or of this project is tried in a process of its own, where
it can hang, crash or print without harm. What is, is tried here, in milliseconds.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import gymnasium
from pydantic import TypeAdapter

from pipeline.core.tasks.gymnasium import probe
from pipeline.core.tasks.gymnasium.probe import Found

LIMIT_SECONDS: Final = 60.0
"""Without a sign of life: a step may take long, and some eighty are made."""
WELL_KNOWN: Final = ("gymnasium.envs.", "pipeline.")
"""Where environments are that need no process of their own."""


def mistakes(name: str, horizon: int | None) -> Iterator[tuple[str, str]]:
    """What keeps an environment, by its id, from being a task: field and message.

    The horizon is the task's own, if it has one.
    """
    found = _found(name, Path.cwd())
    for mistake in found.mistakes:
        yield "id", mistake
    if found.widths and horizon is None and found.horizon is None:
        yield "horizon", f"missing; {name} was registered without a limit"


def doubts(name: str) -> Sequence[str]:
    """What is odd of an environment and does no harm."""
    return _found(name, Path.cwd()).doubts


def widths(name: str) -> tuple[int, int] | None:
    """Of observations and actions; None if there is no such environment."""
    return _found(name, Path.cwd()).widths


def own_files(name: str) -> Sequence[str]:
    """Of the code that an environment is made of, what lies below this folder."""
    return _found(name, Path.cwd()).files


@cache
def _found(name: str, folder: Path) -> Found:
    """What there is to know of an environment, seen from a folder."""
    return probe.probe(name) if _is_well_known(name) else _found_apart(name)


def _is_well_known(name: str) -> bool:
    """Whether nothing bad can come of it: also what nobody can have registered."""
    spec = gymnasium.registry.get(name)
    if spec is None:
        return ":" not in name
    return not isinstance(spec.entry_point, str) or spec.entry_point.startswith(
        WELL_KNOWN
    )


def _found_apart(name: str) -> Found:
    """What a process of its own finds; of one that does not end well, how it ended."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "found"
        file.touch()
        ended = _ended([sys.executable, "-m", probe.__name__, name, str(file)], file)
        last = (file.read_text().splitlines() or ["imported"])[-1]
    if last.startswith("{"):
        return TypeAdapter(Found).validate_json(last)
    again = f"{Path(sys.executable).name} -m {probe.__name__} {name}"
    return Found((f"{name} {ended} when it was {last}; look at it: {again}",))


def _ended(command: list[str], file: Path) -> str:
    """How a process ended that writes into a file as long as it gets on."""
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        written = -1
        while written != (written := file.stat().st_size):
            with suppress(subprocess.TimeoutExpired):
                return f"ended Python ({_how(process.wait(LIMIT_SECONDS))})"
        process.kill()
    return f"did not answer for {LIMIT_SECONDS:g} s"


def _how(status: int) -> str:
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
