"""How many threads the libraries that compute may start.

OpenBLAS, MKL and OpenMP read their variables once, when they are loaded, and take every
core if there are none. Rounding may depend on the number, and idle threads that wait
for each other by spinning cost a busy machine more than they bring.
"""

import ctypes
import os
from contextlib import suppress
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


def keep_memory() -> None:
    """As `KEEP_MEMORY` of workers, for a process that has begun: options of malloc.h.

    To fault memory in again took a tenth of the time in which policies are judged, and
    of that in which tasks are solved.
    """
    with suppress(AttributeError):  # only glibc has them
        mallopt = ctypes.CDLL(None).mallopt
        for option, size in ((-3, 32 * 2**20), (-1, 2**30), (-2, 64 * 2**20)):
            mallopt(option, size)
