"""Whether two computations of a study have the same results: to show a refactoring.

    python -m benchmarks.same_results OLD/results NEW/results

Weights, behaviour and exact answers must be the same tensors, tables the same numbers,
figures the same bytes, and descriptions the same values, under the names that were
changed on purpose and are listed here. Exits with 1 if anything else differs.
"""

import argparse
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from safetensors import safe_open

RENAMED: Final = {
    "attempts": "tries",
    "steps_to_threshold": "steps_to_return",
    "update_every": "copy_every",
}
"""New names of keys and columns, and what they were."""
ADDED: Final = {
    "oracles", "random_trials", "spacing", "swept",
    "fitted/growth", "fitted/growth_on_a_table", "fitted/largest_difference",
    "exact/theorems/fitted.safetensors", "report/figures/theorems_fitted.png",
}  # fmt: skip
"""Keys and files that old results do not have."""
IDENTITY: Final = {"key"}
"""Keys that name the code, not its results."""
SKIPPED: Final = ("check/", "report/report.html", "report/tables")
"""What says which code and words there are, and not what came out."""


def differences(old: Path, new: Path) -> Iterator[str]:
    """A line for every file that is not the same, or that only one side has."""
    before = _files(old)
    after = {_old_file(name, before): name for name in _files(new)}
    for name in sorted((before | after.keys()) - ((after.keys() - before) & ADDED)):
        if name not in after or name not in before:
            yield f"{name}: only in {old if name in before else new}"
        elif (reason := _difference(old / name, new / after[name])) is not None:
            yield f"{name}: {reason}"


def _files(root: Path) -> set[str]:
    names = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    return {name for name in names if not name.startswith(SKIPPED)}


def _old_file(name: str, before: set[str]) -> str:
    """`explore_multigoal-goals.png` was called `explore_multigoal_goals.png`."""
    return name if name in before else name.replace("-", "_")


def _difference(old: Path, new: Path) -> str | None:
    """Why two files are not the same; None if they are."""
    if old.read_bytes() == new.read_bytes():
        return None
    match old.suffix:
        case ".safetensors":
            return _of_values(_tensors(old), _tensors(new))
        case ".csv":
            return _of_values(_columns(old), _columns(new))
        case ".json" | ".yaml":
            return _of_values(_data(old), _data(new))
        case _:
            return "other bytes"


def _of_values(old: Any, new: Any, place: str = "") -> str | None:
    """Where two values differ, new names taken for old ones."""
    if isinstance(old, list) and isinstance(new, list):
        old, new = ({str(i): x for i, x in enumerate(each)} for each in (old, new))
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return None if old == new else f"{place or 'content'} differs"
    old, new = ({_old_name(k): v for k, v in each.items()} for each in (old, new))
    old_keys, new_keys = old.keys() - IDENTITY, new.keys() - IDENTITY
    if odd := (old_keys ^ new_keys) - (new_keys & ADDED):
        return f"{place}{sorted(odd)} only on one side"
    for key in sorted(old_keys):
        found = _of_values(old[key], new[key], f"{place}{key}/")
        if found is not None:
            return found
    return None


def _old_name(key: str) -> str:
    """`fewer/attempts` was called `fewer/tries`."""
    return "/".join(RENAMED.get(part, part) for part in key.split("/"))


def _tensors(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = (file.metadata() or {}).get("config", "{}")
    packed = {name: (str(x.dtype), x.shape, x.tobytes()) for name, x in tensors.items()}
    return {"config": json.loads(text)} | packed


def _columns(path: Path) -> dict[str, Any]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return {name: [row[at] for row in rows] for at, name in enumerate(header)}


def _data(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text())
    return YAML(typ="safe", pure=True).load(path.read_text())


def main() -> None:
    """Compare the two folders on the command line."""
    parser = argparse.ArgumentParser(description=re.sub(r"\s.*", "", __doc__ or ""))
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args()
    found = list(differences(options.old, options.new))
    for line in found:
        print(line)
    compared = len(_files(options.old))
    print(f"{compared} files compared, {len(found)} differ")
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
