"""Live curves: what a stage measures is in MLflow while it still trains.

Training never waits for MLflow and never fails with it. Points go into a buffer; a
thread imports MLflow, opens the run and writes every few seconds. What does not arrive
is filled in from the files by `pipeline.study.tracking.publishing`.
"""

import math
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final, Literal, NamedTuple

from pipeline.study.tracking.mirror import Point, child_params, params_of
from pipeline.study.tracking.origin import origin_tags
from pipeline.study.tracking.store import POINTS, Store

SECONDS_BETWEEN_WRITES: Final = 3.0
SECONDS_AFTER_A_FAILURE: Final = 30.0
SECONDS_TO_CLOSE: Final = 60.0
"""What a stage waits at its end for a slow store."""

PARENT: Final = ""
"""Stands for the parent run among the names of its children."""

Status = Literal["FINISHED", "FAILED", "KILLED"]


class Reading(NamedTuple):
    """Points of one child that were measured together."""

    child: str
    step: int
    metrics: Mapping[str, float]
    milliseconds: int
    """Time of the measurement, since 1970."""


@dataclass(frozen=True)
class Plan:
    """Which run is logged to."""

    study: str
    stage: str
    run: str
    key: str
    children: tuple[str, ...]
    params: Mapping[str, str]


class LiveRun:
    """A run that is being computed, as MLflow sees it. Nothing here ever raises."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._buffer: deque[Reading] = deque()
        self._writer: _Writer | None = None
        self._closing = Event()
        self._status: Status = "KILLED"
        self._warned = False
        self._thread = Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        *,
        study: str,
        stage: str,
        run: str,
        key: str,
        children: Sequence[str],
        params: Mapping[str, object],
    ) -> "LiveRun":
        """Start to log a run; returns at once.

        A run with this key that was finished is replaced, one that was interrupted is
        continued. `children` are `seed 3` or `trial 1.2`, one per child run; `params`
        are what `run.json` will say, as far as it is known.
        """
        return cls(Plan(study, stage, run, key, tuple(children), params_of(params)))

    def log(self, child: str, step: int, metrics: Mapping[str, float]) -> None:
        """Add what one child measured after `step` environment steps.

        What the store has already, before an interruption, is not added again.
        """
        milliseconds = time.time_ns() // 1_000_000
        self._buffer.append(Reading(child, step, dict(metrics), milliseconds))

    def child(self, name: str, title: str, params: Mapping[str, object]) -> None:
        """Open the run of a child that was not known at the start."""

    def ended(self, name: str, status: Status, params: Mapping[str, object]) -> None:
        """Say how a child ended, before the others do."""

    def close(self, status: Status) -> None:
        """Write what is left, say how the run ended, and wait for that a little."""
        self._status = status
        self._closing.set()
        self._thread.join(SECONDS_TO_CLOSE)
        if self._thread.is_alive():
            self._warn("it is slow")

    def _work(self) -> None:
        """Write until the run is closed; then once more, to a store that answered."""
        pause = 0.0
        while not self._closing.wait(pause):
            pause = SECONDS_BETWEEN_WRITES if self._write() else SECONDS_AFTER_A_FAILURE
            if self._writer is None and self._closing.is_set():
                return
        self._write()

    def _write(self) -> bool:
        """Write what is in the buffer; whether that worked."""
        closing = self._closing.is_set()
        try:
            if self._writer is None:
                self._writer = _Writer(self._plan)
            while self._buffer:
                self._writer.add(self._buffer.popleft())
            self._writer.write()
            if closing:
                self._writer.finish(self._status)
        except Exception as error:  # training is worth more than its mirror
            self._warn(str(error))
            return False
        return True

    def _warn(self, reason: str) -> None:
        """Say once that live curves are incomplete."""
        if not self._warned:
            self._warned = True
            first = (reason.splitlines() or ["unknown"])[0]
            print(
                f"warning: no live curves: {first}; training goes on, "
                "`python -m stages.publish` fills them in later",
                file=sys.stderr,
            )


@contextmanager
def tracked(
    *,
    study: str,
    stage: str,
    run: str,
    key: str,
    children: Sequence[str],
    params: Mapping[str, object],
) -> Iterator[LiveRun]:
    """A live run that is told how the stage ended; see `LiveRun.open`."""
    live = LiveRun.open(
        study=study, stage=stage, run=run, key=key, children=children, params=params
    )
    try:
        yield live
    except KeyboardInterrupt:
        live.close("KILLED")
        raise
    except BaseException:
        live.close("FAILED")
        raise
    live.close("FINISHED")


class _Writer:
    """The open run in the store; the parent goes by the name PARENT."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._store = Store(plan.study)
        self._known: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self._waiting: dict[str, list[tuple[Point, int]]] = defaultdict(list)
        self._seeds: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
        with self._store.reached():
            with self._store.exclusive():
                parent = self._open_parent()
            self._ids = {PARENT: parent} | self._open_children(parent)

    def _open_parent(self) -> str:
        """Continue the run with the key, or make it."""
        plan = self._plan
        found = self._store.find(plan.key)
        if found is not None:
            run_id = str(found.info.run_id)
            if found.info.status != "FINISHED":
                self._resume(PARENT, run_id, found.data.metrics)
                return run_id
            self._store.delete(run_id)
        tags = origin_tags(f"python -m stages.{plan.stage} {plan.run}".strip())
        made = self._store.make_parent(plan.key, plan.stage, plan.run, tags)
        self._store.describe(made, params=plan.params, tags={})
        return made

    def _open_children(self, parent: str) -> dict[str, str]:
        """Continue the children that there are, and make the others."""
        plan = self._plan
        found = self._store.children(parent)
        ids = {}
        for child in reversed(plan.children):  # the UI shows the newest first
            if child in found:
                ids[child] = str(found[child].info.run_id)
                self._resume(child, ids[child], found[child].data.metrics)
            else:
                made = self._store.make_child(parent, plan.stage, plan.run, child)
                ids[child] = made
                self._store.describe(made, params=child_params(child), tags={})
        return ids

    def _resume(self, child: str, run_id: str, metrics: Mapping[str, float]) -> None:
        self._store.resume(run_id)
        self._known[child] = self._store.known(run_id, metrics)

    def add(self, measured: Reading) -> None:
        """Take points to write, and the means that they complete."""
        for metric, value in measured.metrics.items():
            if math.isnan(value):  # in the files, too, that is not measured
                continue
            self._wait(measured, measured.child, metric, value)
            if self._plan.stage == "sweep":  # a mean over trials means nothing
                continue
            seeds = self._seeds[metric, measured.step]
            seeds[measured.child] = value
            if len(seeds) == len(self._plan.children):
                mean = math.fsum(seeds.values()) / len(seeds)
                self._wait(measured, PARENT, metric, mean)

    def _wait(self, measured: Reading, name: str, metric: str, value: float) -> None:
        """Keep a point until it is written, unless the store has it already."""
        if (metric, measured.step) not in self._known[name]:
            self._known[name].add((metric, measured.step))
            point = Point(metric, measured.step, value)
            self._waiting[name].append((point, measured.milliseconds))

    def write(self) -> None:
        """Write what waits; after a failure it waits on, and may be written again."""
        self._store.ask()
        for name, points in self._waiting.items():
            with self._store.reached():
                self._store.log(self._ids[name], points)
            points.clear()

    def finish(self, status: Status) -> None:
        """Say how the run and its children ended."""
        for name, run_id in reversed(self._ids.items()):
            tags = {POINTS: str(len(self._known[name]))}
            with self._store.reached():
                self._store.describe(run_id, params={}, tags=tags)
                self._store.finish(run_id, status)
