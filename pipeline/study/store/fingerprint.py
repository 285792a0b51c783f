"""Which code a stage runs, by its content: derived from its imports, kept by nobody.

The stage `check` writes for each stage the SHA-256 of every module that it imports,
directly or not, less those that cannot change a result. A stage depends on that file,
so that a figure, a claim or MLflow can be edited and nothing is trained again.

A task may be made of code of the user's own, beside `params.yaml`. Its SHA-256 is in
the descriptions of what uses it, and a folder on which `check` depends has links to it,
so that DVC sees it change.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pipeline
from pipeline.study.errors import UserError
from pipeline.study.store.files import atomic_write
from pipeline.study.store.layout import code_file, readable

ROOT: Final = Path(pipeline.__path__[0]).parent
"""The checkout that this code is in."""
PACKAGES: Final = ("pipeline", "stages")
LINKS: Final = Path(".environments")
"""The folder of links."""
WITHOUT_RESULTS: Final = (
    "pipeline.study.errors",
    "pipeline.study.machine.capacity",
    "pipeline.study.machine.check",
    "pipeline.study.machine.cores",
    "pipeline.study.machine.needs",
    "pipeline.study.store.fingerprint",
    "pipeline.study.store.locks",
    "pipeline.study.sweep.storage",
    "pipeline.study.tracking",
    "pipeline.study.training.progress",
)
"""Modules and rooms that cannot change a result, whatever they do; a test replaces
each by a stub and compares bytes."""


def write_fingerprints(stages: Iterable[str], root: Path = Path()) -> None:
    """Write the fingerprint of the code of each stage, below a folder."""
    imports = _Imports()
    for stage in stages:
        lines = [
            f"{_digest(path)}  {path.relative_to(ROOT).as_posix()}\n"
            for path in imports.files(stage)
        ]
        atomic_write(root / code_file(stage), "".join(lines).encode())


def check_fresh(stage: str) -> None:
    """Stop if the code is not the code that was fingerprinted.

    Raises:
        UserError: A file has changed, or there is no fingerprint.
    """
    for digest, path in _lines(stage):
        if not path.exists() or _digest(path) != digest:
            raise _changed(path.relative_to(ROOT).as_posix())


def digests(files: Iterable[str], root: Path = Path()) -> dict[str, str]:
    """The SHA-256 of files, by their names below a folder."""
    return {file: _digest(root / file) for file in files}


def check_unchanged(known: Mapping[str, str]) -> None:
    """Stop if code of the user's own is not what it was, by its digests.

    Raises:
        UserError: A file has changed or is gone.
    """
    for name, digest in known.items():
        if not Path(name).exists() or _digest(Path(name)) != digest:
            raise _changed(name)


def link(files: Iterable[str], root: Path = Path()) -> None:
    """Let DVC see code of the user's own, and no other any more."""
    links = root / LINKS
    targets = {links / file: root / file for file in files}
    for old in links.rglob("*"):
        if old.is_symlink() and old not in targets:
            old.unlink()
    for new, target in targets.items():
        if not new.is_symlink():
            new.parent.mkdir(parents=True, exist_ok=True)
            new.symlink_to(os.path.relpath(target, new.parent))


def _changed(name: str) -> UserError:
    return UserError(
        f"{name} has changed since the study was checked; "
        "results would be named by other code than they come from: "
        "start again (dvc repro)"
    )


def _lines(stage: str) -> Iterator[tuple[str, Path]]:
    path = code_file(stage)
    with readable(path, "check"):
        for line in path.read_text().splitlines():
            digest, name = line.split("  ")
            yield digest, ROOT / name


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Imports:
    """Who imports whom in this checkout."""

    def __init__(self) -> None:
        import grimp  # only `check` pays for it

        self._graph = grimp.build_graph(*PACKAGES, cache_dir=None)

    def files(self, stage: str) -> list[Path]:
        """Every file that a stage runs, sorted."""
        found = {f"stages.{stage}"}
        waiting = [f"stages.{stage}"]
        while waiting:
            module = waiting.pop()
            direct = self._graph.find_modules_directly_imported_by(module)
            for name in {*direct, *_packages(module)} - found:
                if not _is_left_out(name):
                    found.add(name)
                    waiting.append(name)
        return sorted(path for name in found for path in _files(name))


def _packages(module: str) -> Iterator[str]:
    """The packages that a module is in: importing it runs them."""
    parent = module.rpartition(".")[0]
    if parent:
        yield parent
        yield from _packages(parent)


def _is_left_out(module: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in WITHOUT_RESULTS)


def _files(module: str) -> Iterator[Path]:
    """A module's file; of a package also what lies in it and is no module."""
    path = ROOT.joinpath(*module.split("."))
    if not path.is_dir():
        yield path.with_suffix(".py")
        return
    for file in path.iterdir():
        if file.name == "__init__.py" or (file.is_file() and file.suffix != ".py"):
            yield file
