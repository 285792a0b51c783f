"""Folders that one process at a time may hold; a process that dies lets go."""

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.1
"""Between two looks at whether a folder is free."""


@contextmanager
def held(folder: Path, *, patience: float = math.inf) -> Iterator[None]:
    """Keep other processes on this machine out of a folder, which is made if needed.

    Wait so many seconds for whoever holds it.

    Raises:
        TimeoutError: Another process still holds it.
    """
    deadline = time.monotonic() + patience
    while (handle := _lock(folder)) is None:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{folder} is held by another process")
        time.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        os.close(handle)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder until it is closed; None if another does."""
    handle = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have removed it as the last thing.
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    if handle is not None:
        os.close(handle)
    return None
