"""What stands in for parts of `pipeline.core` while something else is measured."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, TypeAlias
from unittest import mock

Patch: TypeAlias = tuple[ModuleType | type, str, Any]
"""Module or class, name in it, and what stands there meanwhile."""


@contextmanager
def patched(patches: Sequence[Patch]) -> Iterator[None]:
    """The patches hold inside of this context, in this process."""
    with ExitStack() as stack:
        for owner, name, substitute in patches:
            stack.enter_context(mock.patch.object(owner, name, substitute))
        yield
