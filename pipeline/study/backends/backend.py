"""What computes jobs, and which of them does here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.core.config.computation import Execution
from pipeline.core.job import Job, Record, Result
from pipeline.study.backends.worker import Work, train
from pipeline.study.errors import UserError
from pipeline.study.machine.check import check_machine
from pipeline.study.machine.settings import settings

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


def check_backend(execution: Execution) -> None:
    """Refuse what cannot be computed, before anything is begun.

    Raises:
        UserError: This machine cannot compute as the study asks, or no cluster is named
            that could.
    """
    if settings().backend == "ray":
        from pipeline.study.backends.cluster import address

        address()
    else:
        check_machine(execution)


def backend(
    execution: Execution, *, work: Work = train, memory: int = 0
) -> AbstractContextManager[Backend]:
    """What computes jobs, as the machine's settings say: `MAXENT_BACKEND`.

    `memory` is what a job takes, in bytes.
    """
    if settings().backend == "ray":
        from pipeline.study.backends.ray import RayCluster

        return RayCluster(execution, work=work, memory=memory)
    from pipeline.study.backends.local import LocalProcesses

    return LocalProcesses(threads=execution.threads, work=work)
