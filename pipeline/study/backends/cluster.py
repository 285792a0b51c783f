"""The Ray cluster that the machine's settings name. Nothing else here imports Ray."""

import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory
from typing import Any, Final

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import settings
from pipeline.study.machine.threads import worker_variables
from pipeline.study.store.fingerprint import ROOT

CONNECTION_SECONDS: Final = 10.0
"""After which nobody is there; Ray itself would try for minutes."""


def address() -> str:
    """Of the cluster that the settings name.

    Raises:
        UserError: They name none, or Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    if not find_spec("ray"):
        raise UserError(
            "MAXENT_BACKEND=ray: Ray is not installed; pip install 'ray>=2.60', or "
            "unset MAXENT_BACKEND"
        )
    found = settings().ray_address or ""
    if found != "local" and not re.fullmatch(r"[^:/]+:\d+", found):
        raise UserError(
            f"MAXENT_RAY_ADDRESS={found}: name a cluster that this machine is a "
            "node of, as 10.0.0.5:6379 (there: ray start --head; here: ray start "
            "--address=10.0.0.5:6379), or `local` for one that is started here, and "
            "ends"
        )
    if found.startswith(("127.", "localhost")):  # Ray would look for it elsewhere
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    return found


@contextmanager
def cluster(threads: int, own_files: Iterable[str] = ()) -> Iterator[Any]:
    """Ray, connected to the cluster that the settings name.

    Its processes have so many threads, this project's code and `own_files`.

    Raises:
        UserError: It cannot be reached.
    """
    where = address()
    import ray

    with TemporaryDirectory() as folder:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "pipeline", Path(folder, "pipeline"), ignore=ignored)
        for file in own_files:
            Path(folder, file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, Path(folder, file))
        try:
            if where != "local":
                host, _, port = where.partition(":")
                create_connection((host, int(port)), CONNECTION_SECONDS).close()
            ray.init(
                address=where,
                runtime_env={
                    "working_dir": folder,
                    "env_vars": worker_variables(threads),
                },
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, OverflowError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"MAXENT_RAY_ADDRESS={where}: cannot join this cluster: {reason}"
            ) from None
        try:
            yield ray
        finally:
            ray.shutdown()


def room(ray: Any, needs: Mapping[str, float]) -> int:
    """How many actors with such needs the nodes of a cluster have room for.

    Raises:
        UserError: None of them is large enough for one.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    most = [
        min(int(node.get(name, 0) // need) for name, need in needs.items() if need)
        for node in nodes
    ]
    if not any(most):
        there = "; ".join(_said(node, needs) for node in nodes)
        raise UserError(
            f"a job takes {_said(needs, needs)}, and no node of the cluster has as "
            f"much: {there or 'it has none'}"
        )
    return min(sum(most), settings().workers or sum(most))


def _said(resources: Mapping[str, float], needs: Mapping[str, float]) -> str:
    """`1 CPU, 0.3 GiB of memory`."""
    memory = resources.get("memory", 0) / 2**30
    parts = [f"{resources.get(name, 0):g} {name}" for name in needs if name != "memory"]
    return ", ".join([*parts, f"{memory:.1f} GiB of memory"])
