"""How far the jobs of one call are, whoever computes them."""

import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.core.job import Result
from pipeline.study.backends.backend import OnRecord, WorkError
from pipeline.study.backends.worker import Kept, Measured, Raised, Report, Warned
from pipeline.study.store.files import atomic_write

RETRIES: Final = 3
"""How often a chunk whose worker was lost is begun again."""


@dataclass
class Ledger:
    """Jobs that wait, that are computed, and that are done."""

    folder: Path
    """Of their checkpoints."""
    on_record: OnRecord
    waiting: deque[str] = field(default_factory=deque)
    begun: set[str] = field(default_factory=set)
    """Jobs that have been taken up, whether they wait, are computed, or done."""
    done: deque[tuple[str, Result]] = field(default_factory=deque)
    """Results that nobody has been given yet."""
    losses: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    """The last step of each job that was passed on."""

    def take_up(self, jobs: Iterable[str]) -> None:
        """Let jobs wait that are new."""
        new = [name for name in jobs if name not in self.begun]
        self.waiting += new
        self.begun |= {*new}

    def checkpoint(self, job: str) -> Path:
        """The file that a job goes on from, if it is there."""
        return self.folder / f"{job}.safetensors"

    def hear(self, job: str, report: Report) -> bool:
        """Take a report of a job's worker; whether the job is done.

        Raises:
            WorkError: It raised an exception.
        """
        match report:
            case Measured(record, replayed):
                if record.step > self.told.get(job, -1):
                    self.told[job] = record.step
                    self.on_record(job, record, replayed)
            case Warned(text):
                print(f"warning: {text}", file=sys.stderr)
            case Kept(content):
                atomic_write(self.checkpoint(job), content)
                self.losses.pop(job, None)  # it has made progress since
            case Raised(summary, trace):
                log = self.folder / "error.log"
                atomic_write(log, trace.encode())
                raise WorkError(f"training failed: {summary} (details: {log})")
            case Result():
                self.done.append((job, report))
                return True
        return False

    def lose(self, job: str, how: str, hint: str) -> None:
        """Put the job of a lost worker back in front.

        Raises:
            WorkError: It was lost too often; `hint` says what to do then.
        """
        losses = self.losses[job] = self.losses.get(job, 0) + 1
        if losses > RETRIES:
            raise WorkError(
                f"a training process was lost {losses} times ({how}): {hint}"
            )
        print(
            f"warning: a training process was lost ({how}); "
            "its members go on from their last checkpoint",
            file=sys.stderr,
        )
        self.waiting.appendleft(job)
