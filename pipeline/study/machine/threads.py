"""How many threads the libraries that compute may start.

OpenBLAS, MKL and OpenMP read their variables once, when they are loaded, and take every
core if there are none. Rounding may depend on the number, and idle threads that wait
for each other by spinning cost a busy machine more than they bring.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_variables(threads: int) -> dict[str, str]:
    """The environment of a process with as many threads."""
    return dict.fromkeys(VARIABLES, str(threads))


def use_threads(threads: int) -> None:
    """Give as many threads to whatever is imported from now on, and to torch.

    What has been imported before keeps what it has.
    """
    os.environ.update(thread_variables(threads))


@contextmanager
def pool(threads: int) -> Iterator[Executor]:
    """What computes independent parts side by side, each with so many threads.

    How many there are at a time changes no number. When it is left early, as by an
    interruption, parts that have not begun are dropped.
    """
    from pipeline.study.machine.capacity import side_by_side  # every stage imports this

    executor = ThreadPoolExecutor(side_by_side(threads))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
