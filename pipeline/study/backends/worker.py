"""A process that trains one chunk of members after another for the executor.

It is started with one end of a socket, over which it gets its work and reports. When
the other end is closed it saves what it has and leaves; when its parent has gone it
leaves at once, so that a killed study leaves nobody behind. A Ctrl-C is for the parent
to answer.
"""

import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline.core.job import Job, Record, Result
from pipeline.core.training.weights import DamagedError
from pipeline.study.machine.processes import leave_with
from pipeline.study.store.files import Content, atomic_write, remove_unfinished

if TYPE_CHECKING:
    from pipeline.core.training.loop import Training


class HangUpError(Exception):
    """Nobody listens any more: save and leave."""


@dataclass(frozen=True)
class Measured:
    """A worker's report of one record."""

    record: Record
    replayed: bool
    """Whether it was read from a checkpoint, and so told before."""


@dataclass(frozen=True)
class Warned:
    """A worker's report of something that went wrong and does no harm."""

    text: str


@dataclass(frozen=True)
class Raised:
    """A worker's report of an exception."""

    summary: str
    traceback: str


@dataclass(frozen=True)
class Kept:
    """A worker's report of a checkpoint, where the driver does not see its files."""

    content: bytes


@dataclass(frozen=True)
class Limits:
    """What the machine's settings say about a worker."""

    checkpoint_seconds: float
    """Between two checkpoints."""
    threads: int
    replay_bytes: int
    """Above which a replay is in a file beside the checkpoint."""


Report: TypeAlias = Measured | Warned | Kept | Raised | Result


@dataclass(frozen=True)
class Desk:
    """What a piece of work may use of the worker that does it."""

    checkpoint: Path
    """A file of this machine; what it has, a job goes on from."""
    limits: Limits
    send: Callable[[Report], None]
    away: bool = False
    """Whether checkpoints have to be sent, because the driver is elsewhere."""

    def tell(self, record: Record, *, replayed: bool) -> None:
        """Report a record.

        Raises:
            HangUpError: The executor wants no more.
        """
        self.send(Measured(record, replayed))

    def keep(self, path: Path, content: Content) -> None:
        """Write a checkpoint, whole or not at all, to where the next worker finds it.

        Raises:
            HangUpError: The executor wants no more.
        """
        atomic_write(path, content)
        if self.away:
            self.send(Kept(path.read_bytes()))

    def warn(self, text: str) -> None:
        """Report something that does no harm."""
        self.send(Warned(text))


Work: TypeAlias = Callable[[Any, Desk], Result]
"""What a worker does with a job; a function of a module, found by its name."""


def train(job: Job, desk: Desk) -> Result:
    """Train a chunk and judge it."""
    from pipeline.core.training.finish import finish

    return finish(trained(job, desk))


def train_and_probe(job: Job, desk: Desk) -> Result:
    """Train a chunk, judge it, and look at its policies where a task has probes."""
    from pipeline.core.judging.probes import probe
    from pipeline.core.training.finish import finish

    training = trained(job, desk)
    result = finish(training)
    if (states := job.task.probes) is None:
        return result
    probed = probe(training.agent, states, job.seeds)
    return replace(result, behaviour=result.behaviour | probed)


def _never(records: Sequence[Record]) -> bool:
    return False


def trained(
    job: Job, desk: Desk, *, over: Callable[[Sequence[Record]], bool] = _never
) -> "Training":
    """Train a chunk from its checkpoint, or from the beginning, to its end.

    `over` says, by the records so far, whether it ends before its last step. A damaged
    checkpoint only costs time, since a chunk that starts over ends in the same bytes:
    it is reported and replaced.
    """
    import torch

    from pipeline.core.memory.replay import Spill
    from pipeline.core.training import checkpoint
    from pipeline.core.training.loop import Training

    torch.set_num_threads(desk.limits.threads)
    remove_unfinished(desk.checkpoint)
    training = Training(job, Spill(desk.limits.replay_bytes, desk.checkpoint.parent))
    if desk.checkpoint.exists():
        try:
            checkpoint.restore(desk.checkpoint, training)
        except DamagedError as error:
            desk.warn(f"{error}; its members start over")
    for record in training.records:
        desk.tell(record, replayed=True)
    saved = time.monotonic()
    try:
        for record in () if over(training.records) else training:
            desk.tell(record, replayed=False)
            if over(training.records):
                break
            if time.monotonic() - saved >= desk.limits.checkpoint_seconds:
                checkpoint.save(desk.checkpoint, training, desk.keep)
                saved = time.monotonic()
    except HangUpError:
        checkpoint.save(desk.checkpoint, training, desk.keep)
        raise
    checkpoint.save(desk.checkpoint, training, desk.keep)  # others may need longer
    return training


def main(descriptor: int, parent: int) -> None:
    """Do what comes over a socket until it is closed, or the parent has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=leave_with, args=(parent,), daemon=True).start()
    connection: Connection[object, Any] = Connection(descriptor)

    def send(report: Report) -> None:
        try:
            connection.send(report)
        except OSError:
            raise HangUpError from None

    try:
        work, limits = connection.recv()
        while True:
            job, checkpoint = connection.recv()
            send(answer(work, job, Desk(checkpoint, limits, send)))
    except (HangUpError, EOFError, ConnectionError):
        pass


def answer(work: Work, job: Job, desk: Desk) -> Result | Raised:
    """The result of a job, or what went wrong with it."""
    try:
        return work(job, desk)
    except HangUpError:
        raise
    except Exception as error:
        summary = f"{type(error).__name__}: {error}".splitlines()[0]
        return Raised(summary, traceback.format_exc())
