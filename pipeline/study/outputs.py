"""What the stages that train share: where they work, what they show, how they write."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.study.errors import UserError
from pipeline.study.tracking import LiveRun

CHECKPOINTS: Final = Path(".checkpoints")
"""Of unfinished runs, by key. No output of DVC: it would be removed with them."""
PATIENCE_SECONDS: Final = 10.0
"""What a process waits for another one that computes the same."""


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """Hold a folder of checkpoints so that no two processes compute the same thing.

    A process whose DVC was killed takes a moment to notice, so it is waited for.

    Raises:
        UserError: Another process holds it and does not end.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (handle := _lock(folder)) is None:
        if time.monotonic() > deadline:
            raise UserError(
                f"{folder}: another process is computing this; wait for it or end it"
            )
        time.sleep(0.1)
    try:
        yield folder
    finally:
        os.close(handle)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder until it is closed; None if another does."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have removed it as the last thing.
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


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
