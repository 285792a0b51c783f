"""Files and folders that one process at a time may hold; one that dies lets go."""

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.study.errors import UserError

LOOK_SECONDS: Final = 0.1
"""Between two looks at whether a file is free."""


@contextmanager
def held(path: Path, *, patience: float = math.inf) -> Iterator[None]:
    """Keep other processes on this machine away from a file or a folder.

    Wait so many seconds for whoever holds it. Meanwhile `NAME.lock` is beside it, open
    for writing: NFS locks nothing else. Through a link it is beside what is linked.

    Raises:
        TimeoutError: Another process still holds it.
        UserError: Its disk has no locks.
    """
    real = path.resolve()
    file = real.with_name(f"{real.name}.lock")
    deadline = time.monotonic() + patience
    while (handle := _lock(file)) is None:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{path} is held by another process")
        time.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(handle)


def _lock(file: Path) -> int | None:
    """A descriptor that holds the file until it is closed; None if another does."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT)
    except (FileNotFoundError, FileExistsError):
        if file.parent.is_file():
            raise
        return None  # whoever is done has just removed the folder
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it has removed it as the last thing.
        if os.path.samestat(os.fstat(handle), file.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        os.close(handle)
        file.unlink(missing_ok=True)
        raise UserError(
            f"{file.parent} is on a disk that cannot lock files "
            f"({error.strerror}); move it to one that can and leave a link"
        ) from None
    os.close(handle)
    return None
