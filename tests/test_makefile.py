"""What `make` finds out before it starts anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
PRINTED = "printed: ; @echo $$USER"


@pytest.fixture
def root(tmp_path) -> Path:
    """A folder with an environment that was made there."""
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copy(MAKEFILE, root)
    (root / "requirements.lock").touch()
    write_program(root / ".venv", root / ".venv")
    return root


def write_program(environment: Path, made: Path) -> None:
    """DVC as pip installs it, in an environment that was made in some folder."""
    program = environment / "bin" / "dvc"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!{made}/bin/python\n")
    (environment / ".ready").touch()


def make(root: Path, *arguments: str, **variables: str):
    given = {name: os.environ[name] for name in os.environ.keys() - {"USER"}}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=root,
        env=given | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_environment_that_was_moved_is_one_line_that_says_what_to_do(root):
    moved = root.rename(root.with_name("moved"))
    told = make(moved, "--dry-run", "study")
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert "was made in another folder; remove it (rm -r .venv) and try again" in line


def test_an_environment_that_is_linked_is_used(root, tmp_path):
    shutil.rmtree(root / ".venv")
    write_program(tmp_path / "shared", tmp_path / "shared")
    (root / ".venv").symlink_to(tmp_path / "shared")
    told = make(root.rename(tmp_path / "moved"), "--dry-run", "study")
    assert (told.returncode, told.stderr) == (0, "")


def test_a_user_without_a_name_has_a_number_for_one(root, tmp_path):
    nameless = tmp_path / "programs"
    nameless.mkdir()
    (nameless / "id").write_text('#!/bin/sh\n[ "$1" = -u ] && echo 12345\n')
    (nameless / "id").chmod(0o755)
    path = f"{nameless}:{os.environ['PATH']}"
    assert make(root, "--eval", PRINTED, "printed", PATH=path).stdout == "12345\n"
    assert make(root, "--eval", PRINTED, "printed", USER="ann").stdout == "ann\n"
