"""A user's mistake, and how it is told: one message, no traceback."""

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

EXIT_STATUS: Final = 2
"""Of a command that was refused, as argparse has it."""


class UserError(Exception):
    """Something that the user can put right; `str` is the whole message."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn a user's mistake into a message on stderr and exit status 2."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(EXIT_STATUS) from None


def closest(name: object, names: Iterable[str]) -> str | None:
    """The most similar of some names, if any is similar."""
    return next(iter(difflib.get_close_matches(str(name), list(names), n=1)), None)


def nearest(name: object, names: Iterable[str]) -> str:
    """`did you mean 'x'? ` for the most similar name, or nothing if none is."""
    similar = closest(name, names)
    return f"did you mean '{similar}'? " if similar else ""
