"""How many threads the libraries that compute may start.

OpenBLAS, MKL and OpenMP read their variables once, when they are loaded, and take every
core if there are none. Rounding may depend on the number, and idle threads that wait
for each other by spinning cost a busy machine more than they bring.
"""

import os
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
