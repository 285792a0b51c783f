"""What runs on the nodes of a cluster, and what must be equal on all of them."""

import hashlib
import os
import pickle
import platform
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

from pipeline.core.config.computation import Execution
from pipeline.core.job import Job, Result
from pipeline.core.population.programs import CACHE
from pipeline.study.backends.worker import Desk, Limits, Raised, Report, Work, answer
from pipeline.study.errors import UserError
from pipeline.study.machine.check import check_machine
from pipeline.study.store.fingerprint import ROOT

PACKAGES: Final = ("torch", "numpy", "scipy", "gymnasium", "mujoco", "pydantic")
"""What results depend on besides this project's code and Python."""
PROCESSORS: Final = Path("/proc/cpuinfo")


class Node:
    """A process on a node that computes one job after another."""

    def __init__(
        self, execution: Execution, limits: Limits, work: Work, programs: str
    ) -> None:
        self._execution = execution
        self._limits = limits
        self._work = work
        if Path(programs).parent.exists():  # a disk that the driver has, too
            os.environ[CACHE] = programs

    def about(self) -> dict[str, str]:
        """What results may depend on, and why it cannot compute as asked, if so."""
        try:
            check_machine(self._execution)
        except UserError as error:
            return about_here() | {"refusal": f"node {platform.node()}: {error}"}
        return about_here()

    def compute(self, given: bytes) -> Iterator[bytes]:
        """Yields reports of a job, pickled; the last one is its result or an error."""
        job, state = pickle.loads(given)
        reports: SimpleQueue[Report] = SimpleQueue()
        with TemporaryDirectory() as folder:
            path = Path(folder, "state.safetensors")
            if state is not None:
                path.write_bytes(state)
            desk = Desk(path, self._limits, reports.put, away=True)
            Thread(target=self._answer, args=(job, desk), daemon=True).start()
            while True:
                report = reports.get()
                yield pickle.dumps(report)
                if isinstance(report, Result | Raised):
                    return

    def _answer(self, job: Job, desk: Desk) -> None:
        try:
            desk.send(answer(self._work, job, desk))
        except BaseException as error:  # code of the user's own may end Python
            summary = f"{type(error).__name__}: {error}"
            desk.send(Raised(summary, traceback.format_exc()))


@cache
def about_here() -> dict[str, str]:
    """What results may depend on of this machine."""
    code = hashlib.sha256()
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        code.update(path.read_bytes())
    lines = PROCESSORS.read_text().splitlines() if PROCESSORS.exists() else []
    models = [
        line.partition(": ")[2] for line in lines if line.startswith("model name")
    ]
    return {
        "node": platform.node(),
        "processor": (models or [platform.machine()])[0],
        "code": code.hexdigest()[:12],
        "Python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str | None:
    """Why results of a node would be others than those of the driver, if so."""
    for name in here.keys() - {"node", "processor"}:
        if here[name] != there[name]:
            return (
                f"node {there['node']} has {name} {there[name]} and this machine "
                f"{here[name]}: results would depend on where they are computed; "
                "install the same requirements.lock on all of them"
            )
    return None
