"""Solve tasks exactly, and write and read what came out.

The folder of an oracle has `run.json` (what was solved), `summary.json` (what the
soft-optimal policy is worth and does) and, for a task that is solved on a grid,
`oracle.safetensors` (V* at its nodes, and some of the policy's episodes).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from pipeline.core.config.values import parsed
from pipeline.core.exact.oracle import Oracle
from pipeline.core.tasks.answers import Answer, answer_to
from pipeline.core.tasks.settings import Task
from pipeline.study.errors import UserError
from pipeline.study.store import layout
from pipeline.study.store.files import read_json, write_arrays, write_json


def write_oracle(said: Mapping[str, Any], folder: Path) -> None:
    """Solve a task of the study as described, and write what came out.

    Raises:
        UserError: The task has no exact answer, or not on this grid.
    """
    name, temperature = said["run"], said["temperature"]
    with refused(f"exact.oracles.{name}"):
        answer = _answer(said["task"])
        found = answer.solve(
            temperature, spacing=said["spacing"], name=f"oracle {name}"
        )
    described = dict(said)
    if found.arrays:
        write_arrays(folder / layout.ORACLE, found.arrays)
    else:
        del described["spacing"]  # it was solved without a grid
    write_json(folder / layout.DESCRIBED, described)
    write_json(folder / layout.SUMMARY, found.numbers)


def load_oracle(name: str, root: Path = layout.ORACLES) -> Oracle:
    """An oracle as it was solved, or its closed form.

    Raises:
        UserError: It is missing or damaged.
    """
    folder, writer = root / name, layout.instance("exact", name)
    with layout.readable(folder / layout.DESCRIBED, writer):
        said = read_json(folder / layout.DESCRIBED)
        answer = _answer(said["task"])
    arrays = {}
    if "spacing" in said:
        with layout.readable(folder / layout.ORACLE, writer):
            arrays = load_file(folder / layout.ORACLE)
            _ = arrays["v"]
    return answer.oracle(said["temperature"], arrays)


def load_numbers(name: str, root: Path = layout.ORACLES) -> dict[str, float]:
    """What the soft-optimal policy of an oracle is worth and does.

    Raises:
        UserError: It is missing or damaged.
    """
    path = root / name / layout.SUMMARY
    with layout.readable(path, layout.instance("exact", name)):
        found: dict[str, float] = read_json(path)
    return found


def _answer(settings: object) -> Answer:
    task: Task = parsed(Task, settings)
    if (answer := answer_to(task)) is None:
        raise ValueError(f"a {task.kind} task has no exact answer")
    return answer


@contextmanager
def refused(where: str) -> Iterator[None]:
    """Tell what cannot be computed with these settings as the user's mistake.

    `where` is the place of the settings in `params.yaml`.

    Raises:
        UserError: What was raised as a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None
