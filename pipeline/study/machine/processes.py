"""Independent parts side by side in processes, for what holds Python's lock."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

WATCH_SECONDS: Final = 0.5
"""Between two looks at whether the parent is still there."""


@contextmanager
def processes() -> Iterator[Executor]:
    """One process for each core; how many there are changes no number.

    When it is left early, parts that have not begun are dropped. A Ctrl-C ends all.
    """
    from pipeline.study.machine.capacity import side_by_side  # workers import this

    executor = ProcessPoolExecutor(
        side_by_side(1), initializer=_begin, initargs=(os.getpid(),)
    )
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=leave_with, args=(parent,), daemon=True).start()


def leave_with(parent: int) -> None:
    """End this process, whatever it is doing, as soon as its parent has gone."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
