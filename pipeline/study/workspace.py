"""A workspace for a study other than the checkout's own.

Command: python -m pipeline.study.workspace NAME

`.studies/NAME` gets the tracked files of the checkout as they are now, with
`studies/NAME.yaml` as its `params.yaml`. Its results, its `dvc.lock` and DVC's cache of
them are its own and stay from one time to the next, whatever `dvc gc` does elsewhere;
the MLflow store is the checkout's. The checkout is not touched.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.study.errors import UserError, nearest, user_errors
from pipeline.study.machine.settings import CHECKOUT, WORKSPACES
from pipeline.study.params.load import load_study
from pipeline.study.store.files import atomic_write, read_json, write_json
from pipeline.study.store.fingerprint import link

STUDIES: Final = Path("studies")
COPIED: Final = ".copied.json"
"""What was copied the last time, so that a file that went away there goes away here."""
OWN: Final = {"dvc.lock", "params.yaml", ".dvc/config"}
"""What a workspace does not take from the checkout."""
DVC_CONFIG: Final = b"""\
[core]
    analytics = false
    check_update = false
    no_scm = true
"""


def prepare(name: str, checkout: Path) -> Path:
    """Bring the workspace of a study up to date with the checkout; returns its folder.

    Raises:
        UserError: There is no such study, it is not valid, there is no checkout, no
            place for a workspace, or Git does not track all that the study needs.
    """
    study = _study_file(name, checkout)
    needed = load_study(study).own_files
    current = _tracked(checkout)
    if lacking := set(needed) - set(current):
        raise UserError(_untracked(sorted(lacking)))
    workspace = _folder(checkout / WORKSPACES / name)
    before = workspace / COPIED
    for gone in set(read_json(before) if before.exists() else []) - set(current):
        (workspace / gone).unlink(missing_ok=True)
    write_json(before, current)
    for file in current:
        _copy(checkout / file, workspace / file)
    _copy(study, workspace / "params.yaml")
    _write(workspace / ".dvc" / "config", DVC_CONFIG)
    way = os.path.relpath(checkout.resolve(), workspace.resolve())
    _write(workspace / CHECKOUT, f"{way}\n".encode())
    link(needed, workspace)
    return workspace


def _folder(workspace: Path) -> Path:
    """Make the folder, which may be behind a link."""
    try:
        workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{workspace} cannot be made: {error.strerror}") from None
    return workspace


def warn_of_untracked(files: Sequence[str]) -> None:
    """Say it if Git knows nothing of code of the user's own."""
    if not files:
        return
    command = ["git", "ls-files", "-z", "--others", "--exclude-standard", "--", *files]
    with suppress(OSError, subprocess.CalledProcessError):  # there need be no Git
        listed = subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True)
        if unknown := listed.split("\0")[:-1]:
            print(f"warning: {_untracked(unknown)}", file=sys.stderr)


def _untracked(files: Sequence[str]) -> str:
    names = ", ".join(files)
    return (
        f"Git does not track {names}, and a workspace or `dvc exp run --temp` has only "
        f"what it tracks: git add {shlex.join(files)}"
    )


def _study_file(name: str, checkout: Path) -> Path:
    names = sorted(path.stem for path in (checkout / STUDIES).glob("*.yaml"))
    if name not in names:
        there_are = ", ".join(names) or "none"
        raise UserError(
            f"there is no study '{name}'; {nearest(name, names)}"
            f"{STUDIES}/ has: {there_are}"
        )
    return checkout / STUDIES / f"{name}.yaml"


def _tracked(checkout: Path) -> list[str]:
    """The files that Git tracks and that are there."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        reason = " ".join((getattr(error, "stderr", None) or str(error)).split())
        raise UserError(
            f"{checkout.resolve()} is not a Git checkout, which a workspace copies: "
            f"{reason}"
        ) from None
    names = listed.stdout.split("\0")
    return sorted(
        name for name in names if name not in OWN and (checkout / name).is_file()
    )


def _copy(source: Path, target: Path) -> None:
    """Copy content and mode; an equal file keeps its time, which DVC goes by."""
    _write(target, source.read_bytes())
    target.chmod(source.stat().st_mode)


def _write(target: Path, content: bytes) -> None:
    if not target.is_file() or target.read_bytes() != content:
        atomic_write(target, content)


def main() -> None:
    """Prepare the workspace of the study named on the command line."""
    parser = argparse.ArgumentParser(description="Prepare a study's workspace.")
    parser.add_argument("name", help="NAME of studies/NAME.yaml")
    with user_errors():
        prepare(parser.parse_args().name, Path())


if __name__ == "__main__":
    main()
