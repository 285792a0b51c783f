"""What `dvc.lock` says was computed, and whether the files here are those files.

DVC is files in, files out: its lock is read as the text it is, nothing of DVC is
imported.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pipeline.study.errors import UserError
from pipeline.study.params.yaml_lines import read_whole

ENTRY: Final = re.compile(r"^  (?=\S)", re.MULTILINE)
"""Where an entry of `stages:` begins, as DVC writes it."""


@dataclass(frozen=True)
class Entry:
    """One instance of a stage, as it was computed."""

    name: str
    """`explore@sql_10`, or `compare` for a stage with one instance."""
    description: str
    """What `dvc.yaml` says the stage is for."""
    text: str
    """The entry as it stands in `dvc.lock`."""
    data: Mapping[str, Any] = field(repr=False)
    """The same as plain data."""

    @property
    def stage(self) -> str:
        """Name of the stage."""
        return self.name.partition("@")[0]

    @property
    def run(self) -> str:
        """Name of the instance, empty for a stage with one instance."""
        return self.name.partition("@")[2]

    @property
    def digest(self) -> str:
        """Hash of everything that the entry says."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    @property
    def command(self) -> str:
        """The command that DVC ran."""
        return str(self.data["cmd"])

    @property
    def outputs(self) -> dict[PurePosixPath, str]:
        """Hash of every file and folder that the stage wrote, by relative path."""
        return {PurePosixPath(out["path"]): out["md5"] for out in self.data["outs"]}

    @property
    def outputs_digest(self) -> str:
        """Hash of the content of the outputs."""
        return hashlib.sha256(repr(self.outputs).encode()).hexdigest()[:32]

    def files(self, root: Path) -> dict[PurePosixPath, Path]:
        """Every file among the outputs, by its path below the folder that all share.

        Raises:
            UserError: An output is not here, or is not what the lock says.
        """
        found = {}
        for out, expected in self.outputs.items():
            path = root / out
            if not path.exists():
                raise UserError(f"{out} is not here: `dvc pull` fetches it")
            below = _files(path)
            if _digest(path, below) != expected:
                raise UserError(
                    f"{out} is not what dvc.lock says it is: "
                    "`dvc repro` computes it, `dvc checkout` restores it"
                )
            found.update({out / name: file for name, file in below.items()})
        common = self._common_folder(root)
        return {path.relative_to(common): file for path, file in found.items()}

    def _common_folder(self, root: Path) -> PurePosixPath:
        """The deepest folder that holds all outputs."""
        folders = [
            out if (root / out).is_dir() and len(self.outputs) == 1 else out.parent
            for out in self.outputs
        ]
        first, *others = folders
        for folder in (first, *first.parents):
            if all(other.is_relative_to(folder) for other in others):
                return folder
        raise ValueError(f"{self.name}: outputs share no folder")


def read_lock(root: Path) -> list[Entry]:
    """Read every entry with outputs that the pipeline still has, in pipeline order.

    `dvc.lock` also remembers instances that are gone from `params.yaml`; those are not
    part of the study.

    Raises:
        UserError: There is no `dvc.lock`, or it is not what DVC writes.
    """
    lock = root / "dvc.lock"
    if not lock.exists():
        raise UserError("there is no dvc.lock here: `dvc repro` computes the study")
    match read_whole(lock):
        case {"stages": dict() as stages}:
            pass
        case _:
            raise UserError(
                "dvc.lock names no stages; restore it: git checkout dvc.lock"
            )
    _, *texts = ENTRY.split(lock.read_text(encoding="utf-8"))
    locked = {text.partition(":\n")[0]: text for text in texts}
    return [
        Entry(name, description, locked[name], stages[name])
        for name, description in _declared(root).items()
        if name in locked and "\n    outs:\n" in locked[name]
    ]


def _declared(root: Path) -> dict[str, str]:
    """Description of every instance of every stage, by name."""
    params = read_whole(root / "params.yaml")
    declared = {}
    for name, stage in read_whole(root / "dvc.yaml")["stages"].items():
        if "foreach" not in stage:
            declared[name] = stage.get("desc", "")
            continue
        items = stage["foreach"]
        if isinstance(items, str):
            items = _lookup(params, items.removeprefix("${").removesuffix("}"))
        for item in items:
            declared[f"{name}@{item}"] = stage["do"].get("desc", "")
    return declared


def _lookup(params: Mapping[str, Any], dotted: str) -> Any:
    """What a dotted name stands for; nothing for a block that a study does not have."""
    value: Any = params
    for name in dotted.split("."):
        value = value.get(name, {})
    return value


def _files(path: Path) -> dict[str, Path]:
    """A file itself, or all files in a folder, by path below it."""
    if path.is_file():
        return {"": path}
    files = [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path).as_posix(): file for file in files}


def _digest(path: Path, below: Mapping[str, Path]) -> str:
    """The hash that DVC gives to a file or to a folder."""
    hashes = {
        name: hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        for name, file in below.items()
    }
    if path.is_file():
        return hashes[""]
    listing = [{"md5": hashes[name], "relpath": name} for name in sorted(hashes)]
    text = json.dumps(listing, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() + ".dir"
