"""The command line of a stage with several runs: `python -m stages.explore RUN`."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.study.errors import EXIT_STATUS, UserError, nearest, user_errors
from pipeline.study.params import Study, load_study

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it."""


@contextmanager
def command() -> Iterator[Study]:
    """The valid study, and one line for whatever a user may do wrong."""
    with user_errors():
        try:
            yield load_study()
        except KeyboardInterrupt:
            print(
                "interrupted; started again, it goes on from its checkpoints",
                file=sys.stderr,
            )
            raise SystemExit(INTERRUPTED) from None


def chosen_run(stage: str, names: Collection[str]) -> str:
    """The run that the command line names.

    Raises:
        UserError: There is no such run.
        SystemExit: There is not exactly one argument.
    """
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
    return name
