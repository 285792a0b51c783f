"""How far a stage is: a live display on a terminal, a line a minute elsewhere.

A terminal that does not have Unicode counts as elsewhere.
"""

import sys
import time
from collections import deque
from collections.abc import Hashable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self, TextIO

from pipeline.core.job import Failure
from pipeline.study.machine.settings import settings

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LINE_SECONDS: Final = 60.0
"""Between two plain lines."""
WINDOW_SECONDS: Final = 60.0
"""What the pace is measured over."""


class Progress:
    """Steps of a stage's members, their pace, and the latest score.

    A step is one environment step of every member; the pace counts those of all members
    together. Steps that come from a checkpoint count as done, not as pace. A stage is
    called `explore@sql`, and `score` is the name of what `scored` is told.
    """

    def __init__(self, stage: str, *, members: int, steps: int, score: str) -> None:
        self._stage = stage
        self._members = members
        self._steps = steps
        self._score_name = score
        self._score: float | None = None
        self._step: dict[Hashable, int] = {}
        self._done = 0
        self._trained = 0
        self._pace: deque[tuple[float, int]] = deque()
        self._began = self._told = 0.0
        self._bar: Bar | None = None
        self._mode = settings().progress
        if self._mode == "auto":
            self._mode = "live" if sys.stdout.isatty() else "plain"
        if self._mode == "live" and not _has_unicode(sys.stdout):
            self._mode = "plain"

    def __enter__(self) -> Self:
        """Begin; without a terminal, DVC has said already which stage runs."""
        self._began = self._told = time.monotonic()
        self._pace.append((self._began, 0))
        if self._mode == "live":
            title = f"{self._stage} · {_count(self._members)}"
            self._bar = _bar(title, self._members * self._steps)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Show how the stage ended."""
        if self._bar is not None:
            self._show()
            self._bar.stop()
        how = "done" if kind is None else "stopped"
        spent = _clock(time.monotonic() - self._began)
        self._say(f"{self._stage}: {how} after {spent}, {self._sentence()}")

    def advance(
        self, part: Hashable, step: int, *, members: int, replayed: bool
    ) -> None:
        """Note how far a part of the members is, and whether it was trained before.

        The part has any name.
        """
        gained = (step - self._step.get(part, 0)) * members
        self._step[part] = step
        self._done += gained
        self._trained += 0 if replayed else gained
        now = time.monotonic()
        self._pace.append((now, self._trained))
        while len(self._pace) > 2 and self._pace[1][0] < now - WINDOW_SECONDS:
            self._pace.popleft()
        if self._bar is not None:
            self._show()
        elif now - self._told >= LINE_SECONDS:
            self._told = now
            self._say(f"{self._stage}: {self._sentence()}, {self._left()} left")

    def scored(self, score: float | None) -> None:
        """Note the latest score; None: there is none any more."""
        self._score = score

    @property
    def per_second(self) -> float:
        """Environment steps of all members, over the last minute."""
        (first, before), (last, after) = self._pace[0], self._pace[-1]
        return (after - before) / (last - first) if last > first else 0.0

    def _show(self) -> None:
        assert self._bar is not None
        (task,) = self._bar.task_ids
        self._bar.update(
            task,
            completed=self._done,
            step=f"{self._done // self._members}/{self._steps}",
            pace=f"{self.per_second:.0f} steps/s",
            left=self._left(),
            score=self._scored(),
        )

    def _sentence(self) -> str:
        step = self._done // self._members
        pace = f"{self.per_second:.0f} steps/s of all members"
        text = f"step {step} of {self._steps}, {pace}"
        return f"{text}, {scored}" if (scored := self._scored()) else text

    def _scored(self) -> str:
        return "" if self._score is None else f"{self._score_name} {self._score:.3g}"

    def _left(self) -> str:
        remaining = self._members * self._steps - self._done
        return _clock(remaining / self.per_second) if self.per_second else "?"

    def _say(self, line: str) -> None:
        if self._mode == "plain":
            print(line, flush=True)


def warn(who: str, failure: Failure) -> None:
    """Say that a member has stopped."""
    print(
        f"warning: {who}: stopped at step {failure.step} of its training: "
        f"{failure.reason}",
        file=sys.stderr,
    )


def _count(members: int) -> str:
    return "1 member" if members == 1 else f"{members} members"


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(timedelta(seconds=round(seconds)))


def _has_unicode(output: TextIO) -> bool:
    """Whether a bar can be drawn; what only has ASCII, or Latin, dies of one."""
    return (output.encoding or "").lower().startswith("utf")


def _bar(title: str, total: int) -> "Bar":
    """The live display; rich is imported only where there is a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[step]}"),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[left]} left"),
        TextColumn("{task.fields[score]}"),
        expand=True,
    )
    bar.add_task(title, total=total, step="", pace="", left="?", score="")
    return bar
