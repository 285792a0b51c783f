"""The cores that this process may use, which can be fewer than the machine has."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")
OWN_CGROUP: Final = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Cores by affinity, or by a container's quota if that is less, rounded up."""
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
        return min([cores, *(math.ceil(quota) for quota in _quotas())])
    return os.cpu_count() or 1


def _quotas() -> Iterator[float]:
    """Cores that this process's control group, and each one above it, may use."""
    for folder in control_groups():
        with suppress(OSError, ValueError):  # there is none, or it is `max`
            quota, period = (folder / "cpu.max").read_text().split()
            yield int(quota) / int(period)


def control_groups() -> Iterator[Path]:
    """From the process's own to the root; `0::/user.slice/app` names the first."""
    own = Path()
    with suppress(OSError):
        for line in OWN_CGROUP.read_text().splitlines():
            if line.startswith("0::/"):
                own = Path(line.removeprefix("0::/"))
    yield from (CGROUPS / folder for folder in (own, *own.parents))
