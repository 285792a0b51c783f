"""Solve tasks exactly, and write and read what came out.

The folder of an oracle has `run.json` (what was solved), `summary.json` (what the
soft-optimal policy is worth and does) and, for a task that is solved on a grid,
`oracle.safetensors` (V* at its nodes, and some of the policy's episodes).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.numpy import load_file

from pipeline.core.exact.oracle import Oracle
from pipeline.core.tasks.kind import SolvedKind
from pipeline.study.errors import UserError
from pipeline.study.params import Study
from pipeline.study.store.files import write_arrays, write_json
from pipeline.study.store.layout import ORACLES, instance, readable

ARRAYS = "oracle.safetensors"


def write_oracle(study: Study, name: str, folder: Path) -> None:
    """Solve a task of the study and write what came out.

    Raises:
        UserError: The task has no exact answer, or not on this grid.
    """
    settings, task = study.exact.oracles[name], _task(study, name)
    described = {
        "stage": "exact",
        "run": name,
        "task_name": settings.task,
        "task": task.model_dump(mode="json"),
        "temperature": settings.temperature,
    }
    spacing = study.exact.spacing
    with refused(f"exact.oracles.{name}"):
        found = task.solve(settings.temperature, spacing=spacing, name=f"oracle {name}")
    if found.arrays:
        described["spacing"] = spacing
        write_arrays(folder / ARRAYS, found.arrays)
    write_json(folder / "run.json", described)
    write_json(folder / "summary.json", found.numbers)


def load_oracle(study: Study, name: str, root: Path = ORACLES) -> Oracle:
    """An oracle as it was solved, or its closed form.

    Raises:
        UserError: It is missing or damaged.
    """
    folder, writer = root / name, instance("exact", name)
    with readable(folder / "summary.json", writer):
        (folder / "summary.json").stat()
    arrays = {}
    if (folder / ARRAYS).exists():
        with readable(folder / ARRAYS, writer):
            arrays = load_file(folder / ARRAYS)
    return _task(study, name).oracle(study.exact.oracles[name].temperature, arrays)


def _task(study: Study, name: str) -> SolvedKind:
    task = study.tasks[study.exact.oracles[name].task]
    assert isinstance(task, SolvedKind), "checked before"
    return task


@contextmanager
def refused(where: str) -> Iterator[None]:
    """Tell what cannot be computed with these settings as the user's mistake.

    Args:
        where: The place of the settings in `params.yaml`.

    Raises:
        UserError: What was raised as a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None
