"""What processes that compute are told: how many threads, and to keep their memory.

OpenBLAS, MKL and OpenMP read their variables once, when they are loaded, and take every
core if there are none. Rounding may depend on the number, and idle threads that wait
for each other by spinning cost a busy machine more than they bring.
"""

import ctypes
import os
from contextlib import suppress
from typing import Final

VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
KEEP_MEMORY: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}
"""Lets glibc reuse the memory of activations instead of returning it to the system at
once: faulting it in again took a fifth to a quarter of a soft Q-learning update."""
OPTIONS: Final = dict(zip(KEEP_MEMORY, (-3, -1, -2), strict=True))
"""The same in malloc.h, for a process that has begun."""
COMPILE_ALONE: Final = {"TORCHINDUCTOR_COMPILE_THREADS": "1"}
"""Workers start no processes of their own, which could outlive them."""


def thread_variables(threads: int) -> dict[str, str]:
    """The environment of a process with as many threads."""
    return dict.fromkeys(VARIABLES, str(threads))


def worker_variables(threads: int) -> dict[str, str]:
    """The environment of a process that trains, with as many threads."""
    return thread_variables(threads) | KEEP_MEMORY | COMPILE_ALONE


def use_threads(threads: int) -> None:
    """Give as many threads to whatever is imported from now on, and to torch.

    What has been imported before keeps what it has.
    """
    os.environ.update(thread_variables(threads))


def keep_memory() -> None:
    """As `KEEP_MEMORY`, for this process.

    To fault memory in again took a tenth of the time in which policies are judged, and
    of that in which tasks are solved.
    """
    with suppress(AttributeError):  # only glibc has it
        mallopt = ctypes.CDLL(None).mallopt
        for name, option in OPTIONS.items():
            mallopt(option, int(KEEP_MEMORY[name]))
