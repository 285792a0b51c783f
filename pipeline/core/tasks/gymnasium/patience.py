"""An end to waiting for code that is not ours."""

import math
import signal
import threading
from time import monotonic
from types import FrameType
from typing import Any, Final

LOOKS: Final = 4
"""How often within its time something is looked at."""


class Patience:
    """Interrupts what takes too long, of many things that are done one by one.

    In the main thread only, and in Python code only. Whoever does something sets
    `since` before to `time.monotonic()`, and to infinity afterwards: a `TimeoutError`
    is raised in between. It may be entered again within: only the first time costs
    anything.
    """

    def __init__(self, seconds: float) -> None:
        self.since = math.inf
        self._seconds = seconds
        self._entered = 0
        self._before: tuple[Any, tuple[float, float]] | None = None

    def __enter__(self) -> "Patience":
        """Begin to look at the clock."""
        self._entered += 1
        main = threading.main_thread()
        if self._entered == 1 and threading.current_thread() is main:
            handler = signal.signal(signal.SIGALRM, self._look)
            every = self._seconds / LOOKS
            timer = signal.setitimer(signal.ITIMER_REAL, every, every)
            self._before = handler, timer
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the timer to whoever had it before."""
        self._entered -= 1
        if self._entered == 0 and self._before is not None:
            handler, timer = self._before
            self._before = None
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if monotonic() - self.since > self._seconds:
            self.since = math.inf
            raise TimeoutError(f"no answer within {self._seconds:g} seconds")
