"""The command line of a stage: `python -m stages.explore RUN`.

A stage does what `results/check` says to it, which the stage `check` has written.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pipeline.study.errors import EXIT_STATUS, UserError, nearest, user_errors
from pipeline.study.store import layout
from pipeline.study.store.files import read_json
from pipeline.study.store.fingerprint import check_fresh, check_unchanged

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it."""
PARAMS: Final = Path("params.yaml")


@contextmanager
def command(stage: str) -> Iterator[None]:
    """One line for whatever a user may do wrong; nothing runs on stale descriptions.

    Raises:
        SystemExit: Something is wrong, or the user interrupts.
    """
    with user_errors():
        try:
            _check_source()
            check_fresh(stage)
            yield
        except KeyboardInterrupt:
            print(
                "interrupted; started again, it goes on from its checkpoints",
                file=sys.stderr,
            )
            raise SystemExit(INTERRUPTED) from None


def described(stage: str) -> dict[str, Any]:
    """What `params.yaml` says to the stage instance that the command line names.

    Raises:
        UserError: There is no such run, or its description is damaged.
        SystemExit: There is not exactly one argument.
    """
    names = sorted(path.stem for path in (layout.CHECKED / stage).glob("*.json"))
    if len(sys.argv) != 2:
        there_are = "\n  ".join(["runs in params.yaml:", *names])
        print(f"usage: python -m stages.{stage} RUN\n{there_are}", file=sys.stderr)
        raise SystemExit(EXIT_STATUS)
    name = sys.argv[1]
    if name not in names:
        raise UserError(
            f"there is no run '{name}' of {stage}; {nearest(name, names)}"
            f"params.yaml has: {', '.join(names)}"
        )
    return description(stage, name)


def description(stage: str, name: str = "") -> dict[str, Any]:
    """What `params.yaml` says to one stage instance.

    Raises:
        UserError: It is missing or damaged, or code of the user's own has changed.
    """
    path = layout.description_file(stage, name)
    with layout.readable(path, "check"):
        found: dict[str, Any] = read_json(path)
    check_unchanged(found.get("code", {}))
    return found


def study_name() -> str:
    """What the study is called, in MLflow and elsewhere."""
    with layout.readable(layout.STUDY, "check"):
        return str(read_json(layout.STUDY)["study"]["name"])


def _check_source() -> None:
    """Refuse to go by descriptions of another `params.yaml` than the one that is here.

    Under DVC that may be: the file was edited after `check`, and what was asked for
    then is computed.
    """
    if "DVC_STAGE" in os.environ:
        return
    with layout.readable(layout.SOURCE, "check"):
        checked = layout.SOURCE.read_text().strip()
    if not PARAMS.exists():
        raise UserError(f"{PARAMS}: no such file or directory")
    if hashlib.sha256(PARAMS.read_bytes()).hexdigest() != checked:
        raise UserError(
            f"{PARAMS} has changed since it was checked; check it first: "
            "python -m stages.check (`dvc repro` does)"
        )
