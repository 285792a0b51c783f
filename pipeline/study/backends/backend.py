"""What computes jobs, and which of them does here."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.core.job import Job, Record, Result
from pipeline.study.backends.worker import Work, train
from pipeline.study.errors import UserError

OnRecord: TypeAlias = Callable[[int, Record, bool], None]
"""Called with a job's index, its record, and whether it comes from a checkpoint."""


class WorkError(UserError):
    """A job could not be computed."""


class Backend(Protocol):
    """Computes jobs, in any order and anywhere, with the same results everywhere."""

    def run(
        self, jobs: Sequence[Job], *, folder: Path, on_record: OnRecord
    ) -> list[Result]:
        """Compute all jobs; one result per job, in their order.

        `folder` has their checkpoints, and the caller has claimed it. `on_record` is
        told every record of every job once, a job's own in order.

        Raises:
            WorkError: A job raised an exception, or lost its worker too often.
        """


def backend(*, threads: int, work: Work = train) -> AbstractContextManager[Backend]:
    """What computes jobs here: processes of this machine, of so many threads each."""
    from pipeline.study.backends.local import LocalProcesses

    return LocalProcesses(threads=threads, work=work)
