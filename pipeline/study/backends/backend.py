"""What computes jobs, and which of them does here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.core.job import Job, Record, Result
from pipeline.study.backends.worker import Work, train
from pipeline.study.errors import UserError

OnRecord: TypeAlias = Callable[[str, Record, bool], None]
"""Called with a job's name, its record, and whether it comes from a checkpoint."""


class WorkError(UserError):
    """A job could not be computed."""


class Backend(Protocol):
    """Computes jobs, in any order and anywhere, with the same results everywhere."""

    def run(
        self, jobs: Mapping[str, Job], *, folder: Path, on_record: OnRecord
    ) -> Iterator[tuple[str, Result]]:
        """Compute all jobs; yields each job's name and result as soon as it is done.

        Whoever iterates may add jobs meanwhile; they are begun in the order of the
        mapping. A job finds its checkpoint in `folder` by its name, and the caller has
        claimed that. `on_record` is told every record of every job once, a job's own
        in order.

        Raises:
            WorkError: A job raised an exception, or lost its worker too often.
        """


def backend(*, threads: int, work: Work = train) -> AbstractContextManager[Backend]:
    """What computes jobs here: processes of this machine, of so many threads each."""
    from pipeline.study.backends.local import LocalProcesses

    return LocalProcesses(threads=threads, work=work)
