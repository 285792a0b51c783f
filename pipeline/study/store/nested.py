"""Nested settings as one flat list."""

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(
    value: object, separator: str, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Name every leaf of nested mappings by its path: `task.evaluation.every`."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            path = f"{prefix}{separator}{name}" if prefix else name
            yield from leaves(part, separator, path)
    else:
        yield prefix, value
