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
        """Compute all jobs.

        Args:
            jobs: What to compute.
            folder: Of their checkpoints; the caller has claimed it.
            on_record: Told every record of every job once, a job's own in order.

        Returns:
            One result per job, in the order of the jobs.

        Raises:
            WorkError: A job raised an exception, or lost its worker too often.
        """


def backend(*, threads: int, work: Work = train) -> AbstractContextManager[Backend]:
    """What computes jobs here: processes of this machine.

    Args:
        threads: Of each process.
        work: What is done with a job.
    """
    from pipeline.study.backends.local import LocalProcesses

    return LocalProcesses(threads=threads, work=work)
