"""Work handed out to a Ray cluster, with the same results as on one machine.

Jobs, retries and checkpoints stay with this process, so that nothing is missed of a
node that is lost. Actors, as many as there is room for, compute one job after another,
and stream what they measure, and their checkpoints, back. This project's code, and the
user's own, travels with the work. Nothing else here imports Ray.
"""

import logging
import math
import os
import pickle
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

from pipeline.core.config.computation import Execution
from pipeline.core.job import Job, Result
from pipeline.study.backends.backend import Backend, OnRecord, WorkError
from pipeline.study.backends.ledger import Ledger
from pipeline.study.backends.local import COMPILE_ALONE, KEEP_MEMORY
from pipeline.study.backends.node import Node, about_here
from pipeline.study.backends.worker import Limits, Work
from pipeline.study.errors import UserError
from pipeline.study.machine.settings import compiled_graphs, settings
from pipeline.study.machine.threads import thread_variables
from pipeline.study.store.fingerprint import ROOT

CONNECTION_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 1.0
"""Between two looks at whether there is room for another actor."""
PATIENCE_SECONDS: Final = 30.0
"""After which it is said that others have all the room."""


# ------------------------------------------------------------------------ the cluster


def address() -> str:
    """Of the cluster that the settings name.

    Raises:
        UserError: They name none, or Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    if not find_spec("ray"):
        raise UserError(
            "MAXENT_BACKEND=ray: Ray is not installed; pip install 'ray>=2.60', or "
            "unset MAXENT_BACKEND"
        )
    found = settings().ray_address or ""
    if found != "local" and not re.fullmatch(r"[^:/]+:\d+", found):
        raise UserError(
            f"MAXENT_RAY_ADDRESS={found}: name a cluster that this machine is a "
            "node of, as 10.0.0.5:6379 (there: ray start --head; here: ray start "
            "--address=10.0.0.5:6379), or `local` for one that is started here, and "
            "ends"
        )
    if found.startswith(("127.", "localhost")):  # Ray would look for it elsewhere
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    return found


@contextmanager
def cluster(threads: int, own_files: Iterable[str] = ()) -> Iterator[Any]:
    """Ray, connected to the cluster that the settings name.

    Its processes have so many threads, this project's code and `own_files`.

    Raises:
        UserError: It cannot be reached.
    """
    where = address()
    import ray

    with TemporaryDirectory() as folder:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "pipeline", Path(folder, "pipeline"), ignore=ignored)
        for file in own_files:
            Path(folder, file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, Path(folder, file))
        try:
            if where != "local":  # it would be tried for minutes
                host, _, port = where.partition(":")
                create_connection((host, int(port)), CONNECTION_SECONDS).close()
            ray.init(
                address=where,
                runtime_env={
                    "working_dir": folder,
                    "env_vars": thread_variables(threads) | KEEP_MEMORY | COMPILE_ALONE,
                },
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, OverflowError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"MAXENT_RAY_ADDRESS={where}: cannot join this cluster: {reason}"
            ) from None
        try:
            yield ray
        finally:
            ray.shutdown()


def room(ray: Any, needs: Mapping[str, float]) -> int:
    """How many actors with such needs the nodes of a cluster have room for.

    Raises:
        UserError: None of them is large enough for one.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    most = [
        min(int(node.get(name, 0) // need) for name, need in needs.items() if need)
        for node in nodes
    ]
    if not any(most):
        there = "; ".join(_said(node, needs) for node in nodes)
        raise UserError(
            f"a job takes {_said(needs, needs)}, and no node of the cluster has as "
            f"much: {there or 'it has none'}"
        )
    return min(sum(most), settings().workers or sum(most))


def _said(resources: Mapping[str, float], needs: Mapping[str, float]) -> str:
    """`1 CPU, 0.3 GiB of memory`."""
    memory = resources.get("memory", 0) / 2**30
    parts = [f"{resources.get(name, 0):g} {name}" for name in needs if name != "memory"]
    return ", ".join([*parts, f"{memory:.1f} GiB of memory"])


# ------------------------------------------------------------------------- the driver


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
                self._replace(actor, ledger, type(error).__name__)

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
        if "refusal" in there:
            raise UserError(f"node {there['node']}: {there['refusal']}")
        for name in there.keys() - {"node", "processor"}:
            if there[name] != self._here[name]:
                raise UserError(
                    f"node {there['node']} has {name} {there[name]} and this machine "
                    f"{self._here[name]}: results would depend on where they are "
                    "computed; install the same requirements.lock on all of them"
                )
        if there["processor"] not in {self._here["processor"], *self._others}:
            self._others.add(there["processor"])
            print(
                f"warning: node {there['node']} has another processor "
                f"({there['processor']}, here {self._here['processor']}): numbers may "
                "differ in their last digits by where they are computed",
                file=sys.stderr,
            )

    def _replace(self, actor: _Actor, ledger: Ledger, how: str) -> None:
        """Forget a lost actor, and put its job back in front."""
        self._actors.remove(actor)
        self._ray.kill(actor.handle)
        if actor.stream is not None:
            hint = (
                "its nodes go away, an environment of its task ends Python, or memory "
                "ran out (then train fewer members_per_process)"
            )
            ledger.lose(actor.job, how, hint)


# ---------------------------------------------------------------- parts of one stage


class Tasks(Executor):
    """Independent calls, each of which is a task of the cluster."""

    def __init__(self, ray: Any, threads: int) -> None:
        self._call = ray.remote(num_cpus=threads)(_call)

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Begin a call; a lost one is begun again by Ray."""
        future: Future[Any] = self._call.remote(function, args, kwargs).future()
        return future


def _call(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)
