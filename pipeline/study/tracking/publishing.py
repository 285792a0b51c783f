"""Fill in what MLflow does not have yet of the results that `dvc.lock` names.

A stage that DVC takes from its cache never executes, an interrupted stage leaves a run
half written, and `dvc pull` brings results that were computed elsewhere. Afterwards
every result is in MLflow exactly once. Publishing twice does nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from pipeline.study.tracking.lockfile import Entry, read_lock
from pipeline.study.tracking.mirror import Content, Mirror, mirror_of, picture_of
from pipeline.study.tracking.origin import origin_tags
from pipeline.study.tracking.store import POINTS, Store

if TYPE_CHECKING:
    from mlflow.entities import Run, RunData

ENTRY: Final = "dvc.lock.yaml"
"""Artifact with the stage's own entry of `dvc.lock`; the last that is written."""
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
        parents, children = _by_parent(store.runs())
        published = {run.data.tags.get("maxent.published"): run for run in parents}
        missing = [
            entry
            for entry in entries
            if entry.digest not in published
            or not _is_whole(run := published[entry.digest], children[run.info.run_id])
            or _is_redrawn(run, picture_of(entry, root))
        ]
        mirrors = [(entry, mirror_of(entry, root)) for entry in missing]
        filled = [_Filling(store, *pair).fill(parents) for pair in mirrors]
        if missing:
            contents = [mirror.parent for _, mirror in mirrors]
            store.save_view(
                objectives(run.data for run in parents) | objectives(contents)
            )
    new = filled.count(True)
    return Published(
        len(entries), new, len(filled) - new, store.address, store.how_to_open()
    )


def objectives(contents: Iterable["Content | RunData"]) -> set[str]:
    """The metrics by which the tasks of some runs are judged."""
    found = {content.params.get("task.objective") for content in contents}
    return {objective for objective in found if objective is not None}


def _by_parent(runs: Iterable["Run"]) -> tuple[list["Run"], dict[str, list["Run"]]]:
    """Parent runs, and children by the id of their parent."""
    parents, children = [], defaultdict(list)
    for run in runs:
        parent = run.data.tags.get("mlflow.parentRunId")
        if parent is None:
            parents.append(run)
        else:
            children[parent].append(run)
    return parents, children


def _is_whole(run: "Run", children: list["Run"]) -> bool:
    """Whether nobody took away what was published."""
    artifacts = urlsplit(run.info.artifact_uri)
    return (
        run.info.status == "FINISHED"
        and len(children) == int(run.data.tags.get("maxent.children", -1))
        and (
            artifacts.scheme not in ("", "file")
            or Path(unquote(artifacts.path), ENTRY).exists()
        )
    )


def _is_redrawn(run: "Run", picture: Path | None) -> bool:
    """Whether the report shows the run in another figure than the one beside it."""
    return picture is not None and run.data.tags.get("maxent.figure") != _digest(
        picture
    )


def _digest(picture: Path | None) -> str:
    return "" if picture is None else hashlib.sha256(picture.read_bytes()).hexdigest()


class _Filling:
    """One stage instance on its way into the store."""

    def __init__(self, store: Store, entry: Entry, mirror: Mirror) -> None:
        self._store = store
        self._entry = entry
        self._mirror = mirror

    def fill(self, parents: Iterable["Run"]) -> bool:
        """Make or complete the run; whether it was made."""
        entry, mirror = self._entry, self._mirror
        found = self._existing(parents)
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
            "maxent.published": entry.digest,
            "maxent.figure": _digest(mirror.picture),
            "maxent.outputs": entry.outputs_digest,
            "maxent.children": str(len(mirror.children)),
            "mlflow.note.content": mirror.note,
            "dvc.stage": entry.name,
            "dvc.lock": entry.text[:LONGEST_TAG],
        }
        self._store.describe(run_id, params={}, tags=tags)
        self._finish(run_id, "FINISHED", found)
        return found is None

    def _existing(self, parents: Iterable["Run"]) -> "Run | None":
        """The run to complete; one that has other results goes."""
        usable = None
        for run in parents:
            if run.data.tags.get("maxent.key") != self._mirror.key:
                continue
            outputs = run.data.tags.get("maxent.outputs", self._entry.outputs_digest)
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
                run_id = self._store.make_child(parent, entry.stage, entry.run, name)
            self._fill_content(run_id, content, found.get(name))
            status = "FAILED" if content.failed else "FINISHED"
            self._finish(run_id, status, found.get(name))

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
        self._store.log_now(run_id, points)
        self._store.describe(run_id, params=params, tags={})

    def _fill_artifacts(self, run_id: str, found: "Run | None") -> None:
        """Copy the files that are not there, the entry of the lock last."""
        there = {} if found is None else self._store.artifacts(run_id)
        for path, file in self._mirror.artifacts.items():
            if there.get(path.as_posix()) != file.stat().st_size:
                self._store.add_artifact(run_id, path, file)
        self._store.add_text(run_id, ENTRY, self._entry.text)
