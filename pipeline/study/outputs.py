"""What the stages that train share: where they work, what they show, how they write."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.study.tracking import LiveRun

CHECKPOINTS: Final = Path(".checkpoints")
"""Of unfinished runs, by key. No output of DVC: it would be removed with them."""


@contextmanager
def whole_folder(target: Path, *, scratch: Path) -> Iterator[Path]:
    """Fill a folder that appears, or replaces the one there was, when it is complete.

    Args:
        target: Where the folder belongs.
        scratch: A folder on the same disk to fill it in.
    """
    unfinished = scratch / "output"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished.replace(target)


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
