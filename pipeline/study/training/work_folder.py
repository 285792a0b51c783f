"""Where a run works: checkpoints in a folder that it holds, results that are whole."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from pipeline.study.errors import UserError
from pipeline.study.store.locks import held

CHECKPOINTS: Final = Path(".checkpoints")
"""`<instance>/<key>` of unfinished runs, and the finished batches of sweeps.

No output of DVC: it would be removed with them.
"""
PATIENCE_SECONDS: Final = 10.0
"""What a process waits for another one that computes the same."""


@contextmanager
def claimed(instance: str, key: str) -> Iterator[Path]:
    """Hold a folder of checkpoints so that no two processes compute the same thing.

    A process whose DVC was killed takes a moment to notice, so it is waited for. When
    the work is done, what the same stage instance has left under other keys is removed:
    its settings have changed since.

    Raises:
        UserError: Another process holds it and does not end, or nothing can be held.
    """
    folder = CHECKPOINTS / instance / key
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder, patience=PATIENCE_SECONDS))
        except TimeoutError:
            raise UserError(
                f"{folder}: another process is computing this; wait for it or end it"
            ) from None
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        _remove_other_keys(folder)
        with suppress(OSError):
            folder.rmdir()
    with suppress(OSError):
        folder.parent.rmdir()


def _remove_other_keys(folder: Path) -> None:
    """Remove the folders beside this one, except those that a process holds."""
    for other in {path.with_suffix("") for path in folder.parent.iterdir()} - {folder}:
        with suppress(TimeoutError), held(other, patience=0):
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Fill a folder that appears, or replaces the one there was, when it is complete.

    It is filled beside the target: a folder cannot be renamed to another disk, and
    checkpoints may be on one.
    """
    unfinished = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        if target.exists():
            shutil.rmtree(target)
        unfinished.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
