"""Files that are either whole or absent, with bytes that depend on nothing but content.

What a stage writes is hashed by DVC, so the same content must always be the same bytes:
no time, host, process id or absolute path, one spelling of every number. Paths are the
caller's; missing folders are made.
"""

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic_core import to_jsonable_python
from ruamel.yaml import YAML
from safetensors.numpy import save

KEY_LENGTH: Final = 32
"""Hexadecimal digits of a run's key."""

Content: TypeAlias = bytes | Iterable[bytes | memoryview]
"""Of a file, whole or in pieces."""
Cell: TypeAlias = str | int | float | np.number[Any] | None


def atomic_write(path: Path, content: Content) -> None:
    """Write a file so that a reader, or a crash, sees all of it or nothing of it.

    What is too large for memory comes in pieces.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed have left of a file that none writes."""
    for unfinished in path.parent.glob(f".{path.name}.*.tmp"):
        unfinished.unlink(missing_ok=True)


# ------------------------------------------------------------------ json and yaml


def write_json(path: Path, value: object, *, sort: bool = True) -> None:
    """Write JSON, with sorted keys unless their order says something.

    Raises:
        ValueError: A number is not finite: JSON has no word for it; write `None`.
    """
    text = json.dumps(
        to_jsonable_python(value, inf_nan_mode="constants"),
        sort_keys=sort,
        indent=1,
        ensure_ascii=False,
        allow_nan=False,
    )
    atomic_write(path, f"{text}\n".encode())


def write_arrays(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], config: object = None
) -> None:
    """Write safetensors whose bytes depend on nothing but names and numbers.

    `config` is what the file says about itself, if anything. One entry only:
    safetensors writes several in an order that changes.
    """
    packed = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    metadata = None if config is None else {"config": json.dumps(config)}
    atomic_write(path, save(packed, metadata))


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_yaml(path: Path, value: object) -> None:
    """Write YAML 1.2 as a human would, keys in the order given."""
    yaml = YAML()
    yaml.default_flow_style = False
    text = io.StringIO()
    yaml.dump(to_jsonable_python(value), text)
    atomic_write(path, text.getvalue().encode())


def read_yaml(path: Path) -> Any:
    """Read YAML 1.2 as DVC does: `1e-4` is a number, `no` is a word."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------- csv


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Write a table whose numbers read back as exactly the same numbers.

    None and NaN become empty cells.

    Raises:
        ValueError: A row has more or fewer values than there are columns.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{len(row)} values for {len(columns)} columns: {row}")
        writer.writerow([cell(value) for value in row])
    atomic_write(path, text.getvalue().encode())


def by_seed(
    seeds: Sequence[int],
    columns: Mapping[str, Sequence[float] | npt.NDArray[np.floating]],
) -> tuple[list[str], list[list[Cell]]]:
    """Header and rows of a table with a row for each seed, in the order given."""
    rows: list[list[Cell]] = [
        [seed, *(float(values[member]) for values in columns.values())]
        for member, seed in enumerate(seeds)
    ]
    return ["seed", *columns], rows


def cell(value: Cell) -> str:
    """The shortest text that reads back as the same value."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int() | np.integer():
            return str(int(value))
        case _:
            number = float(value)
            return "" if math.isnan(number) else repr(number)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table as text, one dictionary per row."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_table(path: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Read a table of numbers as columns; an empty cell is NaN.

    Raises:
        ValueError: A cell is not a number, or a row has the wrong length.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        columns = next(reader, [])
        rows = [[float(cell or "nan") for cell in row] for row in reader]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
    return {column: table[:, index] for index, column in enumerate(columns)}


# ---------------------------------------------------------------------------- keys


def run_key(stage: str, run: str, settings: object, deps: Sequence[Path]) -> str:
    """Name a run by everything its result depends on, before it is computed.

    Settings are anything JSON can say, pydantic models included. Files and folders
    count by their content and by the names below them, never by where they lie. The
    name is 32 hexadecimal digits.

    Raises:
        FileNotFoundError: A dependency does not exist.
    """
    described = {
        "stage": stage,
        "run": run,
        "settings": to_jsonable_python(settings),
        "deps": [entry for dep in deps for entry in _digests(dep)],
    }
    text = json.dumps(described, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def _digests(dep: Path) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of a file, or of every file in a folder, in a fixed order."""
    files = sorted(dep.rglob("*")) if dep.is_dir() else [dep]
    for file in files:
        if "__pycache__" in file.parts or file.is_dir():
            continue
        name = file.relative_to(dep.parent).as_posix()
        yield name, hashlib.sha256(file.read_bytes()).hexdigest()
