"""Work handed out to processes, with results that do not depend on how many there are.

A population is cut into chunks by its size alone; each chunk is trained by one process
of few threads, on whichever core is free. A chunk saves checkpoints, so that a worker
that is lost, or a study that is killed, costs only what was done since the last one.
This process imports no torch: it waits, and passes on what is measured.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final, Self

from pipeline.core.job import Job, Result
from pipeline.study.backends.backend import Backend, OnRecord
from pipeline.study.backends.ledger import Ledger
from pipeline.study.backends.worker import Limits, Work, train
from pipeline.study.machine.capacity import worker_limit
from pipeline.study.machine.settings import compiled_graphs, settings
from pipeline.study.machine.threads import worker_variables

FAREWELL_SECONDS: Final = 20.0
"""What workers get to save their chunks before they are ended."""
WATCH_SECONDS: Final = 1.0
"""Between two looks at whether the process that started this one is still there."""


@dataclass
class _Worker:
    """A process, this end of its socket, and the job it has."""

    process: subprocess.Popen[bytes]
    connection: "Connection[Any, Any]"
    job: str | None = None

    def end(self) -> str:
        """End the process and say how it ended."""
        self.connection.close()
        self.process.kill()
        status = self.process.wait()
        return f"signal {-status}" if status < 0 else f"exit status {status}"


class LocalProcesses(Backend):
    """Processes that are started when there is work, and kept for more of it."""

    def __init__(self, *, threads: int, work: Work = train) -> None:
        self._limit = worker_limit(threads)
        machine = settings()
        self._limits = Limits(
            machine.checkpoint_seconds, threads, int(machine.replay_gib * 2**30)
        )
        self._work = work
        self._workers: list[_Worker] = []
        self._parent = os.getppid()

    def __enter__(self) -> Self:
        """Nothing is started before there is work."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let every worker save what it has and leave; end those that do not.

        One without a job has nothing to save, and would take a second to tidy torch up.
        """
        try:
            for worker in self._workers:
                worker.connection.close()
                if worker.job is None:
                    worker.process.kill()
            deadline = time.monotonic() + FAREWELL_SECONDS
            for worker in self._workers:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            for worker in self._workers:
                worker.end()
            self._workers.clear()

    def run(
        self, jobs: Mapping[str, Job], *, folder: Path, on_record: OnRecord
    ) -> Iterator[tuple[str, Result]]:
        folder.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(folder, on_record)
        while True:
            ledger.take_up(jobs)
            self._hand_out(jobs, ledger)
            if ledger.done:
                yield ledger.done.popleft()
                continue
            busy = {w.connection: w for w in self._workers if w.job is not None}
            if not busy:
                return
            for connection in wait(list(busy), timeout=WATCH_SECONDS):
                self._listen(busy[connection], ledger)  # type: ignore[index]
            self._watch_parent()

    def _hand_out(self, jobs: Mapping[str, Job], ledger: Ledger) -> None:
        """Give waiting jobs to idle workers, old or new."""
        while ledger.waiting:
            idle = [worker for worker in self._workers if worker.job is None]
            if not idle and len(self._workers) == self._limit:
                return
            worker = idle[0] if idle else self._start()
            worker.job = ledger.waiting.popleft()
            given = jobs[worker.job], ledger.checkpoint(worker.job)
            with suppress(OSError):  # it has died, and is noticed when listened to
                worker.connection.send(given)

    def _start(self) -> _Worker:
        """Start a worker with as many threads as it may have."""
        environment = worker_variables(self._limits.threads)
        environment["TORCHINDUCTOR_CACHE_DIR"] = str(compiled_graphs())
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        ours, theirs = Pipe()
        with theirs:
            imported = "from pipeline.study.backends import worker"
            main = f"worker.main({theirs.fileno()}, {os.getpid()})"
            process = subprocess.Popen(
                [sys.executable, "-c", f"{imported}; {main}"],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **environment},
            )
        worker = _Worker(process, ours)
        self._workers.append(worker)
        with suppress(OSError):  # as above
            ours.send((self._work, self._limits))
        return worker

    def _listen(self, worker: _Worker, ledger: Ledger) -> None:
        """Take one report of a worker, or notice that it is lost."""
        job = worker.job
        try:
            report = worker.connection.recv()
        except (EOFError, ConnectionError):
            self._replace(worker, ledger)
            return
        assert job is not None, "a worker without a job has nothing to report"
        if ledger.hear(job, report):
            worker.job = None

    def _replace(self, worker: _Worker, ledger: Ledger) -> None:
        """Put the job of a lost worker back in front."""
        self._workers.remove(worker)
        how = worker.end()
        if worker.job is None:
            return
        ledger.lose(
            worker.job,
            how,
            "an environment of its task ends Python, or memory ran out (then set "
            "MAXENT_WORKERS=1, or train fewer members_per_process)",
        )

    def _watch_parent(self) -> None:
        """End at once when DVC has been killed: whoever starts it again waits."""
        if "DVC_STAGE" in os.environ and os.getppid() != self._parent:
            for worker in self._workers:
                worker.process.kill()
            os._exit(1)
