"""Work handed out to a Ray cluster, with the same results as on one machine.

Jobs, retries and checkpoints stay with this process, so that nothing is missed of a
node that is lost. Actors, as many as there is room for, compute one job after another,
and stream what they measure, and their checkpoints, back. This project's code, and the
user's own, travels with the work.
"""

import math
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from pipeline.core.config.computation import Execution
from pipeline.core.job import Job, Result
from pipeline.study.backends.backend import Backend, OnRecord, WorkError
from pipeline.study.backends.cluster import cluster, room
from pipeline.study.backends.ledger import RETRIES, Ledger
from pipeline.study.backends.node import Node, about_here, difference
from pipeline.study.backends.worker import Limits, Work
from pipeline.study.errors import UserError
from pipeline.study.machine.settings import compiled_graphs, settings

WATCH_SECONDS: Final = 1.0
"""Between two looks at whether there is room for another actor."""
PATIENCE_SECONDS: Final = 30.0
"""After which it is said that others have all the room."""


@dataclass
class _Actor:
    """A process on a node, and what it was asked."""

    handle: Any
    about: Any
    """A reference to what its node says of itself; None: it has said it."""
    stream: Any = None
    """What it reports; None: it is idle."""
    job: str = ""


class RayCluster(Backend):
    """Actors that are started when there is work, and kept for more of it."""

    def __init__(self, execution: Execution, *, work: Work, memory: int) -> None:
        machine, threads = settings(), execution.threads
        replay = int(machine.replay_gib * 2**30)
        limits = Limits(machine.checkpoint_seconds, threads, replay)
        self._execution = execution
        self._arguments = execution, limits, work, str(compiled_graphs())
        self._needs = {"CPU": threads, "memory": memory}
        if execution.device == "cuda":
            self._needs["GPU"] = 1
        self._ray: Any = None
        self._actors: list[_Actor] = []
        self._here = about_here()
        self._others: set[str] = set()
        self._unborn = 0
        self._impatient_at = time.monotonic() + PATIENCE_SECONDS
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Nothing is started before there is work."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cluster, which ends whatever was started there."""
        self._actors.clear()
        self._stack.close()

    def run(
        self, jobs: Mapping[str, Job], *, folder: Path, on_record: OnRecord
    ) -> Iterator[tuple[str, Result]]:
        if not jobs:
            return
        folder.mkdir(parents=True, exist_ok=True)
        if self._ray is None:
            own_files = next(iter(jobs.values())).task.own_files
            joined = cluster(self._execution.threads, own_files)
            self._ray = self._stack.enter_context(joined)
        ledger = Ledger(folder, on_record)
        while True:
            ledger.take_up(jobs)
            self._hand_out(jobs, ledger)
            if ledger.done:
                yield ledger.done.popleft()
            elif ledger.waiting or any(actor.stream for actor in self._actors):
                self._listen(ledger)
            else:
                return

    def _hand_out(self, jobs: Mapping[str, Job], ledger: Ledger) -> None:
        """Give waiting jobs to idle actors, and start more where there is room."""
        idle = [a for a in self._actors if a.about is None and a.stream is None]
        for actor in idle[: len(ledger.waiting)]:
            actor.job = ledger.waiting.popleft()
            path = ledger.checkpoint(actor.job)
            state = path.read_bytes() if path.exists() else None
            given = pickle.dumps((jobs[actor.job], state))
            actor.stream = actor.handle.compute.remote(given)
        starting = sum(actor.about is not None for actor in self._actors)
        if len(ledger.waiting) > starting:
            missing = room(self._ray, self._needs) - len(self._actors)
            for _ in range(min(missing, len(ledger.waiting) - starting)):
                self._start()

    def _start(self) -> None:
        asked = self._ray.remote(
            num_cpus=self._needs["CPU"],
            num_gpus=self._needs.get("GPU", 0),
            memory=self._needs["memory"],
            max_restarts=0,
        )
        handle = asked(Node).remote(*self._arguments)
        self._actors.append(_Actor(handle, handle.about.remote()))

    def _listen(self, ledger: Ledger) -> None:
        """Take what an actor says next, or notice that it is lost."""
        said = {a.about if a.stream is None else a.stream: a for a in self._actors}
        said.pop(None, None)
        ready, _ = self._ray.wait(list(said), num_returns=1, timeout=WATCH_SECONDS)
        if all(actor.about for actor in self._actors):
            self._say_why()
        for which in ready:
            actor = said[which]
            try:
                if actor.stream is None:
                    self._compare(self._ray.get(actor.about))
                    actor.about = None
                elif ledger.hear(actor.job, pickle.loads(self._ray.get(next(which)))):
                    actor.stream = None
            except self._ray.exceptions.RayTaskError as error:
                raise WorkError(f"training failed on a node: {error.cause}") from None
            except self._ray.exceptions.RayError as error:
                self._replace(actor, ledger, error)

    def _say_why(self) -> None:
        """Say once that nothing happens because no actor has got its place."""
        if time.monotonic() > self._impatient_at:
            self._impatient_at = math.inf
            print(
                "warning: the cluster has no place free for a job; it waits until what "
                "others compute there is over",
                file=sys.stderr,
            )

    def _compare(self, there: Mapping[str, str]) -> None:
        """Refuse a node whose results would be others; warn if they may be.

        Raises:
            UserError: It has other versions, or cannot compute as the study asks.
        """
        refusal = there.get("refusal") or difference(self._here, there)
        if refusal is not None:
            raise UserError(refusal)
        if there["processor"] not in {self._here["processor"], *self._others}:
            self._others.add(there["processor"])
            print(
                f"warning: node {there['node']} has another processor "
                f"({there['processor']}, here {self._here['processor']}): numbers may "
                "differ in their last digits by where they are computed",
                file=sys.stderr,
            )

    def _replace(self, actor: _Actor, ledger: Ledger, error: Exception) -> None:
        """Forget a lost actor, and put its job back in front.

        Raises:
            WorkError: Actors, or this job's, were lost too often.
        """
        self._actors.remove(actor)
        self._ray.kill(actor.handle)
        if actor.about is not None:
            self._unborn += 1
            if self._unborn > RETRIES:
                told = " ".join(str(error).split())[-300:]
                raise WorkError(f"nothing can be started on the cluster: … {told}")
        if actor.stream is not None:
            hint = (
                "its nodes go away, an environment of its task ends Python, or memory "
                "ran out (then train fewer members_per_process)"
            )
            ledger.lose(actor.job, type(error).__name__, hint)


class Tasks(Executor):
    """Independent calls, each of which is a task of the cluster."""

    def __init__(self, ray: Any, threads: int) -> None:
        self._call = ray.remote(num_cpus=threads)(_call)
        self._failed = ray.exceptions.RayTaskError

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Begin a call; one that is lost is begun again by Ray."""
        future: Future[Any] = Future()

        def done(found: Future[Any]) -> None:
            try:
                refusal, result = found.result()
            except self._failed as error:
                future.set_exception(error.cause)
            except Exception as error:
                future.set_exception(WorkError(f"a task was lost: {error}"))
            else:
                if refusal is None:
                    future.set_result(result)
                else:
                    future.set_exception(UserError(refusal))

        asked = self._call.remote(about_here(), function, args, kwargs)
        asked.future().add_done_callback(done)
        return future


def _call(
    here: Mapping[str, str], function: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[str | None, Any]:
    """What a function returns, or why this node must not be asked."""
    refusal = difference(here, about_here())
    return refusal, None if refusal is not None else function(*args, **kwargs)
