"""Parts of one stage that are computed side by side."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from pipeline.study.machine.capacity import side_by_side
from pipeline.study.machine.settings import settings
from pipeline.study.machine.threads import keep_memory


@contextmanager
def pool(threads: int) -> Iterator[Executor]:
    """What computes independent parts side by side, each with so many threads.

    How many there are at a time, and where, changes no number. When it is left early,
    as by an interruption, parts that have not begun are dropped.

    Raises:
        UserError: It is a cluster that cannot be reached.
    """
    if settings().backend == "ray":
        from pipeline.study.backends.cluster import cluster
        from pipeline.study.backends.ray import Tasks

        with cluster(threads) as ray:
            yield Tasks(ray, threads)
        return
    keep_memory()
    executor = ThreadPoolExecutor(side_by_side(threads))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
