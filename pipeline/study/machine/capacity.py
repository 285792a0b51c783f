"""How many processes train side by side, and when that cannot go well.

More threads than cores make training many times slower: two threads on a busy machine
of two cores fell from 138 to 6 steps per second. The number of processes changes no
result, since what is computed together depends on the settings alone.
"""

import os
import sys
from typing import Final

from pipeline.study.machine.cores import available_cores
from pipeline.study.machine.settings import settings

OWN_LOAD: Final = 1.0
"""Load above one per core that the study's stage before this one may have left."""


def side_by_side(threads: int) -> int:
    """How many processes, each of so many threads, a stage may start."""
    most = max(1, available_cores() // threads)
    return min(settings().workers or most, most)


def worker_limit(threads: int) -> int:
    """As `side_by_side`; says what makes them fewer, or slow."""
    cores, asked, limit = available_cores(), settings().workers, side_by_side(threads)
    if threads > cores:
        _warn(
            f"execution.threads is {threads}, but {_counted(cores, 'core')} can be "
            "used: threads that wait for each other make training many times slower; "
            f"set execution.threads to {cores} or less in params.yaml"
        )
    elif asked is not None and asked > limit:
        _warn(
            f"MAXENT_WORKERS={asked} with {_counted(threads, 'thread')} each is more "
            f"than the {_counted(cores, 'core')} that can be used; "
            f"going on as with MAXENT_WORKERS={limit}"
        )
    _warn_of_others(limit)
    return limit


def _warn_of_others(limit: int) -> None:
    """Say that other programs use the machine: the load counts all of its cores."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores + OWN_LOAD:
        fewer = f", or train with MAXENT_WORKERS={limit // 2}" if limit > 1 else ""
        _warn(
            f"the load of this machine is {load:.1f} on {_counted(cores, 'core')}: "
            f"other programs slow training down; end them{fewer}"
        )


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)
