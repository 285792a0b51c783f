"""What each process of a stage spends its processor time on, from within.

`benchmarks.study_time` lets every Python that DVC starts for a stage call `start`
before anything else, so that nothing under `pipeline` or `stages` knows of it. What a
process knows it adds to a file, as a line of JSON.
"""

import atexit
import builtins
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.speed.clock import Clock
    from pipeline.core.job import Job, Result
    from pipeline.study.backends.worker import Desk, Work

START = "start and imports"
COMPILING = "compiling"
TRAINING = "steps and updates"
JUDGING = "evaluation"
TRACKING = "checkpoints, tracking, files"
WALL, BUSY = "wall", "busy"
"""Seconds on the clock, and of all processors, of a stage from its start to its end."""


def busy() -> float:
    """Processor seconds of this process, and of those it has started and seen end."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(spent.ru_utime + spent.ru_stime for spent in both)


@dataclass(frozen=True)
class Notes:
    """Where the processes of a stage tell what they know."""

    file: str
    stage: str

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add a line, whole whoever else adds one."""
        with open(self.file, "a") as file:
            file.write(json.dumps({"stage": self.stage, **seconds}) + "\n")


def start(file: str) -> None:
    """Let a copy of this process be the stage, and wait for it with a clock."""
    notes = Notes(file, os.environ["DVC_STAGE"])
    begin = time.perf_counter() - (begun := busy())
    if (stage := os.fork()) == 0:
        _watch(notes)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the stage to answer
    status = os.waitstatus_to_exitcode(os.waitpid(stage, 0)[1])
    wall = time.perf_counter() - begin
    notes.add({WALL: wall, BUSY: busy(), START: begun})
    os._exit(status if status >= 0 else 128 - status)


def _watch(notes: Notes) -> None:
    """Charge what the main thread imports, and give a clock to workers."""
    spent, importing, main = 0.0, False, threading.get_ident()
    original = builtins.__import__

    def timed(*given: Any, **named: Any) -> Any:
        nonlocal spent, importing
        if importing or threading.get_ident() != main:
            return original(*given, **named)
        importing, begin = True, time.thread_time()
        try:
            return original(*given, **named)
        finally:
            importing = False
            spent += time.thread_time() - begin
            if local := sys.modules.get("pipeline.study.backends.local"):
                _clock_workers(local.LocalProcesses, notes)

    builtins.__import__ = timed
    atexit.register(lambda: notes.add({START: spent}))


@cache
def _clock_workers(backend: Any, notes: Notes) -> None:
    make = backend.__init__

    def made(self: object, *, work: "Work", **named: Any) -> None:
        make(self, work=Clocked(work, notes), **named)

    backend.__init__ = made


@dataclass(frozen=True)
class Clocked:
    """Work that tells what its worker's time is spent on."""

    work: "Work"
    notes: Notes

    def __call__(self, job: "Job", desk: "Desk") -> "Result":
        """As the work, with a clock."""
        clock, watched = _prepared()
        with clock.watching(watched), clock.running(TRAINING):
            result = self.work(job, desk)
        self.notes.add(clock.seconds)
        clock.seconds.clear()
        return result


@cache
def _prepared() -> tuple["Clock", Sequence[tuple[str, Any, str]]]:
    """The clock of this process, which has been started to train, and what it watches.

    What compiles is replaced before learners are imported, which know it by name.
    """
    from benchmarks.speed.clock import Clock
    from pipeline.core.population import compiling

    clock = Clock(busy)
    compiling.compile_update = _first_call(compiling.compile_update, clock)
    from pipeline.core.judging import evaluation, probes
    from pipeline.core.training import checkpoint, finish, loop
    from pipeline.study.backends import worker

    watched = (
        (JUDGING, evaluation.Evaluator, "__call__"),
        (JUDGING, finish, "finish"),
        (JUDGING, probes, "probe"),
        (TRACKING, loop.Training, "_record"),
        (TRACKING, worker.Desk, "tell"),
        (TRACKING, checkpoint, "restore"),
        (TRACKING, checkpoint, "save"),
    )
    clock.seconds[START] = busy()
    return clock, watched


def _first_call(
    compile_update: Callable[..., Callable[..., Any]], clock: "Clock"
) -> Callable[..., Callable[..., Any]]:
    """The same, charged for making a program and for its first call."""

    @wraps(compile_update)
    def compiled(*given: Any, **named: Any) -> Callable[..., Any]:
        with clock.running(COMPILING):
            program = compile_update(*given, **named)
        begun = False

        def called(*arguments: Any, **named: Any) -> Any:
            nonlocal begun
            if begun:
                return program(*arguments, **named)
            begun = True
            with clock.running(COMPILING):
                return program(*arguments, **named)

        return called

    return compiled
