"""Fill in what MLflow does not have yet of the results that `dvc.lock` names.

A stage that DVC takes from its cache never executes, an interrupted stage leaves a run
half written, and `dvc pull` brings results that were computed elsewhere. Afterwards
every result is in MLflow exactly once, also where clones of a study share a server: who
publishes it first keeps it. Publishing twice does nothing.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.study.tracking.content import Content
from pipeline.study.tracking.lockfile import Entry, read_lock
from pipeline.study.tracking.mirror import Mirror, mirror_of, pictures_of
from pipeline.study.tracking.origin import origin_tags
from pipeline.study.tracking.published import (
    ENTRY,
    OUTPUTS,
    PUBLISHED,
    PUBLISHED_AT,
    doubles,
    is_whole,
    whole,
)
from pipeline.study.tracking.store import POINTS, Store

if TYPE_CHECKING:
    from mlflow.entities import Run

LONGEST_TAG: Final = 8000


@dataclass(frozen=True)
class Published:
    """What was done."""

    runs: int
    new: int
    completed: int
    address: str
    how: str
    """How to open the study in the MLflow UI."""

    def __str__(self) -> str:
        """What was done, and how to see it."""
        changes = f"{self.new} new, {self.completed} completed"
        return f"published {self.runs} runs ({changes}) to {self.address}\n{self.how}"


def publish(root: Path, *, study: str) -> Published:
    """Mirror every result that `dvc.lock` names into MLflow.

    `root` has `dvc.lock`, `dvc.yaml`, `params.yaml` and the results.

    Raises:
        UserError: Results are not here, or not those that `dvc.lock` names.
        StoreError: The store does not answer.
    """
    entries = read_lock(root)
    store = Store(study)
    with store.reached(), store.exclusive():
        runs = store.runs()
        published = {run.data.tags.get(PUBLISHED): run for run in whole(runs)}
        missing = [
            entry
            for entry in entries
            if (run := published.get(entry.digest)) is None
            or (store.is_own(run) and _is_redrawn(run, pictures_of(entry, root)))
        ]
        mirrors = [(entry, mirror_of(entry, root)) for entry in missing]
        filled = [_Filling(store, *pair).fill() for pair in mirrors]
        if missing:
            runs = store.runs()
        for run in doubles(runs, {entry.digest for entry in entries}, store.is_own):
            store.delete(run.info.run_id)
        if missing:
            store.save_view(runs)
    new, completed = filled.count(True), filled.count(False)
    return Published(len(entries), new, completed, store.address, store.how_to_open())


def _is_redrawn(run: "Run", pictures: Sequence[Path]) -> bool:
    """Whether the report shows the run in other figures than those beside it."""
    return bool(pictures) and run.data.tags.get("maxent.figure") != _digest(pictures)


def _digest(pictures: Sequence[Path]) -> str:
    content = b"".join(path.read_bytes() for path in pictures)
    return hashlib.sha256(content).hexdigest() if pictures else ""


class _Filling:
    """One stage instance on its way into the store."""

    def __init__(self, store: Store, entry: Entry, mirror: Mirror) -> None:
        self._store = store
        self._entry = entry
        self._mirror = mirror

    def fill(self) -> bool | None:
        """Make or complete the run; whether it was made.

        Nothing is done, and `None` returned, where another checkout has published the
        same result.
        """
        entry, mirror = self._entry, self._mirror
        runs = self._store.with_key(mirror.key)
        if self._is_known(runs):
            for run in filter(self._store.is_own, runs):
                self._store.delete(run.info.run_id)
            return None
        found = self._existing(runs)
        if found is None:
            run_id = self._store.make_parent(
                mirror.key, entry.stage, entry.run, origin_tags(entry.command)
            )
        else:
            run_id = str(found.info.run_id)
        self._fill_children(
            run_id, {} if found is None else self._store.children(run_id)
        )
        self._fill_content(run_id, mirror.parent, found)
        self._fill_artifacts(run_id, found)
        tags = {
            PUBLISHED: entry.digest,
            PUBLISHED_AT: str(time.time_ns() // 1_000_000),
            "maxent.figure": _digest(mirror.pictures),
            OUTPUTS: entry.outputs_digest,
            "maxent.children": str(len(mirror.children)),
            "mlflow.note.content": mirror.note,
            "dvc.stage": entry.name,
            "dvc.lock": entry.text[:LONGEST_TAG],
        }
        self._store.describe(run_id, params={}, tags=tags)
        self._finish(run_id, "FINISHED", found)
        return found is None

    def _is_known(self, runs: Iterable["Run"]) -> bool:
        """Whether another checkout has published the same result."""
        return any(
            run.data.tags.get(OUTPUTS) == self._entry.outputs_digest
            and not self._store.is_own(run)
            and is_whole(run, len(self._store.children(run.info.run_id)))
            for run in runs
        )

    def _existing(self, runs: Iterable["Run"]) -> "Run | None":
        """The run to complete; one of this checkout that has other results goes."""
        usable = None
        for run in filter(self._store.is_own, runs):
            outputs = run.data.tags.get(OUTPUTS, self._entry.outputs_digest)
            if usable is None and outputs == self._entry.outputs_digest:
                usable = run
            else:
                self._store.delete(run.info.run_id)
        return usable

    def _fill_children(self, parent: str, found: Mapping[str, "Run"]) -> None:
        entry = self._entry
        for name, content in reversed(self._mirror.children.items()):
            if name in found:
                run_id = str(found[name].info.run_id)
            else:
                run_id = self._store.make_child(
                    parent, entry.stage, entry.run, name, content.title
                )
            self._fill_content(run_id, content, found.get(name))
            self._finish(run_id, content.status, found.get(name))

    def _finish(self, run_id: str, status: str, found: "Run | None") -> None:
        """Say that a run is over; one that said so itself keeps its time."""
        if found is None or found.info.status != status:
            self._store.finish(run_id, status)

    def _fill_content(self, run_id: str, content: Content, found: "Run | None") -> None:
        """Add the parameters and points that a run does not have."""
        params, points = content.params, content.points
        if found is not None:
            had = found.data
            params = {name: params[name] for name in params.keys() - had.params.keys()}
            there = [point for point in points if point.metric in had.metrics]
            if had.tags.get(POINTS) == str(len(there)):
                points = [point for point in points if point.metric not in had.metrics]
            else:
                known = self._store.known(run_id, had.metrics)
                points = [
                    point for point in points if (point.metric, point.step) not in known
                ]
        now = time.time_ns() // 1_000_000  # nobody knows any more when it was
        self._store.log(run_id, [(point, now) for point in points])
        self._store.describe(run_id, params=params, tags={})

    def _fill_artifacts(self, run_id: str, found: "Run | None") -> None:
        """Copy the files that are not there, the entry of the lock last."""
        there = {} if found is None else self._store.artifacts(run_id)
        for path, file in self._mirror.artifacts.items():
            if there.get(path.as_posix()) != file.stat().st_size:
                self._store.add_artifact(run_id, path, file)
        self._store.add_text(run_id, ENTRY, self._entry.text)
