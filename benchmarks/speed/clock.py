"""What a program's time is spent on."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

from benchmarks.patches import patched


class Clock:
    """Seconds of each part, without those of other parts within it."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._now = now
        self._since = now()

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        """Charge what is done to a part."""
        self._charge()
        self._open.append(part)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def _charge(self) -> None:
        now = self._now()
        if self._open:
            part = self._open[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now

    def watching(
        self, watched: Iterable[tuple[str, Any, str]]
    ) -> AbstractContextManager[None]:
        """Charge calls of a module's or class's function: (part, owner, name)."""
        return patched(
            [
                (owner, name, self._around(part, getattr(owner, name)))
                for part, owner, name in watched
            ]
        )

    def _around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, charged to a part."""

        @wraps(function)
        def timed(*given: object, **named: object) -> object:
            with self.running(part):
                return function(*given, **named)

        return timed
