"""Which runs of a store show a result that was published, and which show it twice."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mlflow.entities import Run

ENTRY: Final = "dvc.lock.yaml"
"""Artifact with the stage's own entry of `dvc.lock`; the last that is written."""
PUBLISHED: Final = "maxent.published"
"""Tag with the digest of that entry."""
PUBLISHED_AT: Final = "maxent.published_at"
"""Tag with the time at which that was, in milliseconds since 1970."""
OUTPUTS: Final = "maxent.outputs"
"""Tag with the digest of what the stage wrote."""


def whole(runs: Sequence["Run"]) -> list["Run"]:
    """The parent runs that have all that was published of them."""
    children = Counter(run.data.tags.get("mlflow.parentRunId") for run in runs)
    return [run for run in runs if is_whole(run, children[run.info.run_id])]


def is_whole(run: "Run", children: int) -> bool:
    """Whether a run that has so many children has all that was published of it."""
    artifacts = urlsplit(run.info.artifact_uri)
    return (
        run.info.status == "FINISHED"
        and children == int(run.data.tags.get("maxent.children", -1))
        and (
            artifacts.scheme not in ("", "file")
            or Path(unquote(artifacts.path), ENTRY).exists()
        )
    )


def doubles(
    runs: Sequence["Run"], digests: Collection[str], is_own: Callable[["Run"], bool]
) -> list["Run"]:
    """The own runs of results, by their digests, that another published before."""
    first: dict[str, Run] = {}
    for run in sorted(whole(runs), key=_when):
        if run.data.tags.get(PUBLISHED) in digests:
            first.setdefault(run.data.tags["maxent.key"], run)
    others = {key: run for key, run in first.items() if not is_own(run)}
    return [
        run
        for run in filter(is_own, runs)
        if (other := others.get(run.data.tags.get("maxent.key", "")))
        and run.data.tags.get(OUTPUTS) in (None, other.data.tags[OUTPUTS])
    ]


def _when(run: "Run") -> tuple[int, str]:
    """The order of runs that were published, the same for whoever asks."""
    return int(run.data.tags.get(PUBLISHED_AT, 0)), run.info.run_id
