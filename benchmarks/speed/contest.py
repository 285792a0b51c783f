"""Time several things in turn, each in a process of one thread.

Every repetition runs all of them once, one after the other, so that what the machine
does in between befalls all alike; the order is turned round from one to the next.
Processes stay on their cores: those of one thread on the same, unless they run at once.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Self, TypeVar
from unittest import mock

from benchmarks.speed.rows import Cell, Row
from benchmarks.speed.subject import Run
from pipeline.study.machine.settings import compiled_graphs
from pipeline.study.machine.threads import COMPILE_ALONE, KEEP_MEMORY

WARMING_CALLS = 2
"""Made before anything is timed."""
JAX: Final = {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
"""A peer in JAX has one thread on a CPU, too."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class Contestant:
    """Something whose rate is wanted."""

    labels: Mapping[str, Cell]
    """What its rows say besides what was measured."""
    make: Callable[..., Run]
    """A function of a module: what is run is made in the process that runs it."""
    arguments: tuple[Any, ...]
    host: str
    """Contestants of one host share a process."""
    each: float = 1
    """What one call is worth, such as member-updates."""
    processes: int = 1
    """That do the same at once."""


@dataclass(frozen=True)
class Effort:
    """How much time is spent on a contestant."""

    repeats: int
    seconds: float
    """Of each repetition, at least, unless one call takes longer."""


def environment() -> AbstractContextManager[object]:
    """What the pipeline gives its workers, for processes that are started within."""
    libraries = ("OMP", "MKL", "OPENBLAS")
    wanted = {f"{name}_NUM_THREADS": "1" for name in libraries}
    wanted |= KEEP_MEMORY | COMPILE_ALONE | JAX
    wanted["TORCHINDUCTOR_CACHE_DIR"] = str(compiled_graphs())
    return mock.patch.dict(os.environ, wanted)


@contextmanager
def on_core(copy: int) -> Iterator[None]:
    """Processes that are started within stay on one core, of each copy another.

    Not everywhere can a process be told so.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    cores = sorted(before)
    os.sched_setaffinity(0, {cores[copy % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def apart(function: Callable[..., Result], *arguments: object) -> Result:
    """What a function returns in a fresh process of one thread."""
    spawn = multiprocessing.get_context("spawn")
    with environment(), ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


class Host:
    """A process in which contestants wait until it is their turn."""

    def __init__(self, copy: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs,))
        with environment(), on_core(copy):
            self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        """It has been started."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nobody is served any more, and the process ends by itself."""
        self._connection.close()
        self._process.join()

    def begin(self, contestant: int, calls: int) -> None:
        """Let a contestant make so many calls."""
        self._connection.send((contestant, calls))

    def admit(self, contestant: int, make: Callable[..., Run], *given: object) -> None:
        """Make a contestant."""
        self._connection.send((contestant, make, given))
        self._connection.recv()

    def seconds(self) -> float:
        """How long the calls took that were begun."""
        return float(self._connection.recv())


def _serve(connection: "Connection[Any, Any]") -> None:
    """Do what comes over the connection until it is closed."""
    contestants: dict[int, Run] = {}
    while True:
        try:
            match connection.recv():
                case (number, make, given):
                    contestants[number] = make(*given)
                    contestants[number](WARMING_CALLS)
                    connection.send(None)
                case (number, calls):
                    begin = time.perf_counter()
                    contestants[number](calls)
                    connection.send(time.perf_counter() - begin)
        except EOFError:
            return


def contest(contestants: Sequence[Contestant], effort: Effort) -> list[Row]:
    """Time all of them.

    Returns:
        A row for every contestant and repetition: its labels, `repeat`, `done` (calls
        times what each is worth, of all its processes) and `seconds`.
    """
    with ExitStack() as stack:
        hosts: dict[tuple[str, int], Host] = {}
        seats: list[list[Host]] = []
        for number, one in enumerate(contestants):
            keys = [(one.host, copy) for copy in range(one.processes)]
            for copy, key in enumerate(keys):
                if key not in hosts:
                    hosts[key] = stack.enter_context(Host(copy))
            seats.append([hosts[key] for key in keys])
            for host in seats[-1]:
                host.admit(number, one.make, *one.arguments)
        calls = [_enough(n, seat, effort.seconds) for n, seat in enumerate(seats)]
        rows: list[Row] = []
        for repeat in range(effort.repeats):
            order = list(range(len(contestants)))
            for number in order if repeat % 2 == 0 else reversed(order):
                one = contestants[number]
                seconds = _timed(number, seats[number], calls[number])
                done = calls[number] * one.each * one.processes
                measured = {"repeat": repeat, "done": done, "seconds": seconds}
                rows.append({**one.labels, **measured})
        return rows


def _timed(number: int, seats: Sequence[Host], calls: int) -> float:
    """Seconds until the last of the processes has made its calls."""
    for host in seats:
        host.begin(number, calls)
    return max(host.seconds() for host in seats)


def _enough(number: int, seats: Sequence[Host], seconds: float) -> int:
    """So many calls that they take as long as wanted."""
    calls = 1
    while (spent := _timed(number, seats, calls)) < seconds / 4:
        calls *= 2
    return max(1, round(calls * seconds / spent))
