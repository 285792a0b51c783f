"""The MLflow store: where runs are kept, found, made and filled.

MLflow takes seconds to import, so it is imported when a store is opened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pipeline.study.store.layout import instance
from pipeline.study.store.locks import held
from pipeline.study.tracking.address import (
    artifact_location,
    ask,
    first_contact,
    is_database,
    is_in_checkout,
    set_defaults,
    tracking_uri,
    without_password,
)
from pipeline.study.tracking.content import Point
from pipeline.study.tracking.failures import reached
from pipeline.study.tracking.moved import follow
from pipeline.study.tracking.owner import OWNER, owner
from pipeline.study.tracking.view import (
    EXPERIMENT_TAGS,
    VIEW_TAG,
    how_to_open,
    saved_view,
)

if TYPE_CHECKING:
    from mlflow.entities import Run

METRICS_PER_CALL: Final = 1000
"""The most that MLflow takes in one call, which costs as much as a single metric."""
PARAMS_PER_CALL: Final = 100
LONGEST_NAME: Final = 250
"""Of a run, in letters, that MLflow's tables have room for."""

POINTS: Final = "maxent.points"
"""Tag that says how many points were written to a run that is over."""


class Store:
    """The runs of one study in an MLflow store."""

    def __init__(self, study: str) -> None:
        """Connect, and make the database and the study's experiment on first contact.

        Raises:
            StoreError: The store cannot be reached.
        """
        set_defaults()
        self._uri = tracking_uri()
        self.address = without_password(self._uri)
        with self.reached(), first_contact(self._uri) as fresh:
            self._owner = owner()
            self._unsaid = self._owner if is_in_checkout(self._uri) else None
            self.ask()
            from mlflow.tracking import MlflowClient

            self._client = MlflowClient(self._uri, registry_uri=self._uri)
            if fresh:  # leave the study as the only thing to open
                self._client.delete_experiment("0")
            self._experiment = self._find_or_make_experiment(study)

    def _find_or_make_experiment(self, study: str) -> str:
        """Id of the experiment; one that was deleted comes back."""
        from mlflow.exceptions import MlflowException

        uri = self._uri
        location = artifact_location(uri).as_uri() if is_database(uri) else None
        try:
            return str(
                self._client.create_experiment(study, location, tags=EXPERIMENT_TAGS)
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = self._client.get_experiment_by_name(study)
            if found is None:
                raise
        follow(uri, found.artifact_location)
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def ask(self) -> None:
        """Ask for a sign of life, which costs less than a request that fails.

        Raises:
            StoreError: There is none.
        """
        with self.reached():
            ask(self._uri)

    def reached(self) -> AbstractContextManager[None]:
        """Turn a failure of the store into one line, a `StoreError`."""
        return reached(self.address)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes on this machine from making the same runs."""
        if not is_database(self._uri):
            yield
            return
        with held(artifact_location(self._uri)):
            yield

    def save_view(self, runs: Iterable["Run"]) -> None:
        """Let the UI show the parameters and metrics that the study is about."""
        from mlflow.exceptions import MlflowException

        view = self._experiment, VIEW_TAG, saved_view(run.data for run in runs)
        try:
            self._client.set_experiment_tag(*view)
        except MlflowException:  # another clone has made the tag at the same time
            self._client.set_experiment_tag(*view)

    def how_to_open(self) -> str:
        """What a user does to see the study."""
        return how_to_open(self._experiment, self.address)

    # ------------------------------------------------------------------------- runs

    def runs(self, condition: str = "") -> list["Run"]:
        """All runs of the study that nobody deleted, oldest first."""
        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                condition,
                max_results=1000,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return found

    def with_key(self, key: str) -> list["Run"]:
        """The parent runs with a key, whoever made them."""
        return self.runs(f"tags.`maxent.key` = '{key}'")

    def find(self, key: str) -> "Run | None":
        """The parent run with a key that this checkout has made."""
        return next(filter(self.is_own, self.with_key(key)), None)

    def is_own(self, run: "Run") -> bool:
        """Whether this checkout made a run; what others made is theirs to change.

        Runs of before that was said are those of the checkout that the store is in.
        """
        return bool(run.data.tags.get(OWNER, self._unsaid) == self._owner)

    def children(self, run_id: str) -> dict[str, "Run"]:
        """The children of a parent run, by name."""
        found = self.runs(f"tags.`mlflow.parentRunId` = '{run_id}'")
        return {run.data.tags["maxent.child"]: run for run in found}

    def make_parent(
        self, key: str, stage: str, run: str, tags: Mapping[str, str]
    ) -> str:
        """Make the run of a stage instance."""
        own = {"maxent.key": key, OWNER: self._owner}
        return self._make(instance(stage, run), stage, run, {**own, **tags})

    def make_child(
        self, parent: str, stage: str, run: str, child: str, title: str
    ) -> str:
        """Make the run of a seed or a trial below a parent run."""
        name = title or f"{instance(stage, run)} {child}"
        tags = {"mlflow.parentRunId": parent, "maxent.child": child}
        return self._make(name[:LONGEST_NAME], stage, run, tags)

    def _make(self, name: str, stage: str, run: str, tags: Mapping[str, str]) -> str:
        named = {"maxent.stage": stage, "maxent.run": run, **tags}
        given = {tag: value for tag, value in named.items() if value}
        made = self._client.create_run(self._experiment, tags=given, run_name=name)
        return str(made.info.run_id)

    def delete(self, run_id: str) -> None:
        """Delete a parent run and its children."""
        for child in self.children(run_id).values():
            self._client.delete_run(child.info.run_id)
        self._client.delete_run(run_id)

    def resume(self, run_id: str) -> None:
        """Say that a run goes on."""
        self._client.update_run(run_id, status="RUNNING")

    def finish(self, run_id: str, status: str) -> None:
        """Say that a run is over."""
        self._client.set_terminated(run_id, status=status)

    # ---------------------------------------------------------------------- content

    def log(self, run_id: str, points: Sequence[tuple[Point, int]]) -> None:
        """Add points to a run, each with its time in milliseconds since 1970.

        The same point at the same time is stored once, so a call that failed half way
        may be repeated.
        """
        from mlflow.entities import Metric

        metrics = [
            Metric(point.metric, point.value, milliseconds, point.step)
            for point, milliseconds in points
        ]
        for first in range(0, len(metrics), METRICS_PER_CALL):
            self._client.log_batch(run_id, metrics[first : first + METRICS_PER_CALL])

    def known(self, run_id: str, metrics: Iterable[str]) -> set[tuple[str, int]]:
        """Which metric has a value at which step."""
        return {
            (metric, point.step)
            for metric in metrics
            for point in self._client.get_metric_history(run_id, metric)
        }

    def describe(
        self, run_id: str, *, params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Set parameters and tags of a run."""
        from mlflow.entities import Param, RunTag

        said = [RunTag(name, value) for name, value in tags.items()]
        listed = [Param(name, value) for name, value in params.items()]
        for first in range(0, max(1, len(listed)), PARAMS_PER_CALL):
            part = listed[first : first + PARAMS_PER_CALL]
            self._client.log_batch(run_id, params=part, tags=said)

    def artifacts(self, run_id: str, folder: str | None = None) -> dict[str, int]:
        """Size in bytes of every artifact of a run, by path."""
        found: dict[str, int] = {}
        for item in self._client.list_artifacts(run_id, folder):
            if item.is_dir:
                found |= self.artifacts(run_id, item.path)
            else:
                found[item.path] = item.file_size or 0
        return found

    def add_artifact(self, run_id: str, path: PurePosixPath, file: Path) -> None:
        """Copy a file to the artifacts of a run."""
        folder = path.parent.as_posix() if path.parent.parts else None
        self._client.log_artifact(run_id, str(file), folder)

    def add_text(self, run_id: str, path: str, text: str) -> None:
        """Write a text to the artifacts of a run."""
        self._client.log_text(run_id, text, path)
