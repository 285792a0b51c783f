"""The thread's end of live curves: the open run of a stage in the store."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.study.tracking.content import Point, Status, child_params
from pipeline.study.tracking.origin import origin_tags
from pipeline.study.tracking.store import POINTS, Store

if TYPE_CHECKING:
    from mlflow.entities import Run

PARENT: Final = ""
"""Stands for the parent run among the names of its children."""


class Reading(NamedTuple):
    """Points of one run that were measured together."""

    name: str
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


@dataclass
class _OpenRun:
    """The parent or a child, and what waits to be written to it."""

    title: str = ""
    id: str = ""
    """Empty until it is in the store."""
    known: set[tuple[str, int]] = field(default_factory=set)
    """Every metric at every step that the store has, or that waits."""
    said: set[str] = field(default_factory=set)
    """Parameters that the store has; none of them ever changes."""
    points: list[tuple[Point, int]] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    status: Status | None = None
    """How it ended, to be written."""
    ended: bool = False

    def wait(self, measured: Reading, metric: str, value: float) -> None:
        """Keep a point until it is written, unless the store has it already."""
        if (metric, measured.step) not in self.known:
            self.known.add((metric, measured.step))
            point = Point(metric, measured.step, value)
            self.points.append((point, measured.milliseconds))

    def resume(self, store: Store, found: "Run") -> None:
        """Go on with a run of the store, which has some of what waits."""
        run_id, metrics = str(found.info.run_id), found.data.metrics
        store.resume(run_id)
        known = store.known(run_id, metrics)
        self.points = [
            (point, milliseconds)
            for point, milliseconds in self.points
            if (point.metric, point.step) not in known
        ]
        self.known |= known
        self.said |= found.data.params.keys()
        self.id = run_id

    def write(self, store: Store) -> None:
        """Write what waits; after a failure it waits on, and may be written again."""
        if self.points:
            store.log(self.id, self.points)
            self.points.clear()
        ends = None if self.ended else self.status
        new = {n: v for n, v in self.params.items() if n not in self.said}
        if new or ends:
            tags = {POINTS: str(len(self.known))} if ends else {}
            store.describe(self.id, params=new, tags=tags)
            self.said |= new.keys()
        self.params.clear()
        if ends:
            store.finish(self.id, ends)
            self.ended = True


class Writer:
    """The open run in the store; the parent goes by the name PARENT."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._store = Store(plan.study)
        self._runs: dict[str, _OpenRun] = defaultdict(_OpenRun)
        self._found: dict[str, Run] | None = None
        """Children that were in the store before; None: to be asked for."""
        self._seeds: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
        with self._store.reached(), self._store.exclusive():
            self._open_parent(self._runs[PARENT])
        self.describe(PARENT, plan.params)
        for child in reversed(plan.children):  # the UI shows the newest first
            self.open(child, "", child_params(child))

    def _open_parent(self, parent: _OpenRun) -> None:
        """Continue the run with the key, or make it."""
        plan = self._plan
        found = self._store.find(plan.key)
        if found is not None and found.info.status != "FINISHED":
            parent.resume(self._store, found)
            return
        if found is not None:
            self._store.delete(str(found.info.run_id))
        tags = origin_tags(f"python -m stages.{plan.stage} {plan.run}".strip())
        parent.id = self._store.make_parent(plan.key, plan.stage, plan.run, tags)

    def _open_children(self) -> None:
        """Continue children that are in the store, and make the others."""
        plan, parent = self._plan, self._runs[PARENT].id
        new = {name: run for name, run in self._runs.items() if not run.id}
        if not new:
            return
        found, self._found = self._found, None  # a failure may hide one that was made
        if found is None:
            found = self._store.children(parent)
        for name, run in new.items():
            if name in found:
                run.resume(self._store, found[name])
                continue
            run.id = self._store.make_child(
                parent, plan.stage, plan.run, name, run.title
            )
        self._found = found

    def open(self, name: str, title: str, params: Mapping[str, str]) -> None:
        """Take a child to make, or to continue, when what waits is written."""
        self._runs[name].title = title
        self.describe(name, params)

    def describe(self, name: str, params: Mapping[str, str]) -> None:
        """Take parameters to write; one that waits already stays as it is."""
        run = self._runs[name]
        run.params = {**params, **run.params}

    def end(self, name: str, status: Status) -> None:
        """Take the status of a run that gets no more points."""
        self._runs[name].status = status

    def add(self, measured: Reading) -> None:
        """Take points to write, and the means over seeds that they complete."""
        children = self._plan.children
        for metric, value in measured.metrics.items():
            if math.isnan(value):  # in the files, too, that is not measured
                continue
            self._runs[measured.name].wait(measured, metric, value)
            if measured.name not in children:  # a mean over trials means nothing
                continue
            seeds = self._seeds[metric, measured.step]
            seeds[measured.name] = value
            if len(seeds) == len(children):
                mean = math.fsum(seeds.values()) / len(seeds)
                self._runs[PARENT].wait(measured, metric, mean)

    def write(self) -> None:
        """Write what waits; what fails waits on."""
        self._store.ask()
        with self._store.reached():
            self._open_children()
            for run in self._runs.values():
                run.write(self._store)

    def finish(self, status: Status) -> None:
        """Say how the run ended, and the children that have not."""
        with self._store.reached():
            for run in reversed(self._runs.values()):
                run.status = run.status or status
                run.write(self._store)
