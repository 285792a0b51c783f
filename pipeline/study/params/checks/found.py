"""What checks find, and what they say of names that are not there."""

from collections.abc import Iterator
from typing import TypeAlias

from pipeline.core.agents.settings import Algorithm
from pipeline.study.errors import nearest
from pipeline.study.params.yaml_lines import Document, Place, dotted

Found: TypeAlias = Iterator[tuple[Place, str]]
"""Places and messages."""


def unknown(document: Document, name: str, *, among: Place, noun: str) -> str | None:
    """A message if there is no entry of that name, which is called a `noun`.

    `among` is the mapping whose keys are the names there are.
    """
    names = document.names(*map(str, among))
    if name in names:
        return None
    there_are = ", ".join(names) or "none"
    hint = nearest(name, names)
    return f"there is no {noun} '{name}'; {hint}{dotted(among)} has: {there_are}"


def waiting(place: Place, name: str, algorithm: Algorithm, steps: int) -> Found:
    """Steps that end before an algorithm learns anything."""
    if algorithm.waiting >= steps:
        field = algorithm.waits_for
        yield (
            place,
            f"{steps} steps end before '{name}' learns anything "
            f"(algorithms.{name}.{field} is {getattr(algorithm, field)})",
        )
