"""A space that is searched: its dimensions, its settings, its corners."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any, TypeAlias

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.values import with_values
from pipeline.study.params.ranges import (
    RANGES,
    Block,
    Choice,
    Entry,
    Point,
    Range,
    read_point,
)

Params: TypeAlias = dict[str, Point]
"""Dotted names of dimensions, sorted, and what is tried for them."""
Space: TypeAlias = Mapping[str, Range]
"""Dotted names of an algorithm's settings, and what may be tried for them."""


@dataclass(frozen=True)
class Dimension:
    """One thing that is searched."""

    name: str
    """Dotted, as in the algorithm's settings."""
    range: Range
    chosen: tuple[tuple[str, Point], ...] = ()
    """Where it is inside of blocks: choices, of which one must have been made."""

    def is_active(self, params: Params) -> bool:
        """Whether it means anything beside what else is tried."""
        return not self.chosen or any(
            name in params and params[name] == point for name, point in self.chosen
        )


def dimensions(space: Space) -> dict[str, Dimension]:
    """Everything that a space searches, sorted by name: choices before what they have.

    Raises:
        ValueError: Two blocks search a setting over different ranges; the arguments
            are its name and what is wrong.
    """
    found: dict[str, Dimension] = {}
    for dimension in _dimensions(space, ()):
        name, chosen = dimension.name, dimension.chosen
        if (known := found.get(name)) is not None:
            if known.range != dimension.range:
                raise ValueError(name, "is searched over two ranges")
            chosen = (*known.chosen, *chosen)
        found[name] = Dimension(name, dimension.range, chosen)
    return dict(sorted(found.items()))


def _dimensions(
    space: Space, chosen: tuple[tuple[str, Point], ...]
) -> Iterator[Dimension]:
    for name, range_ in space.items():
        yield Dimension(name, range_, chosen)
        if isinstance(range_, Choice):
            for label, block in range_.blocks.items():
                yield from _dimensions(_ranges(block, name), ((name, label),))


def _ranges(block: Block, name: str) -> dict[str, Range]:
    """The ranges that stand in a block of that name."""
    found: dict[str, Range] = {}
    for field, entry in block.root.items():
        here = f"{name}.{field}"
        if isinstance(entry, RANGES):
            found[here] = entry
        elif isinstance(entry, Block):
            found |= _ranges(entry, here)
    return found


def settings(space: Space, params: Params) -> dict[str, Any]:
    """What the settings of a space become, by dotted name, when params are tried."""
    return {name: _settled(range_, name, params) for name, range_ in space.items()}


def _settled(entry: Entry, name: str, params: Params) -> Any:
    """A value, or a block in which ranges have become values."""
    if isinstance(entry, Choice):
        return _settled(entry.meant(params[name]), name, params)
    if isinstance(entry, RANGES):
        return params[name]
    if isinstance(entry, Block):
        return {
            field: _settled(inside, f"{name}.{field}", params)
            for field, inside in entry.root.items()
        }
    return entry


def grid(space: Space) -> list[Params]:
    """Every setting of a space that has finitely many, in the order of names.

    Raises:
        ValueError: A range has too many numbers to list; the argument is its name.
    """
    grid_size(space)
    tried: list[Params] = [{}]
    for name, dimension in dimensions(space).items():
        tried = [
            {**params, name: value} if active else params
            for params in tried
            for active in [dimension.is_active(params)]
            for value in (dimension.range.values if active else (None,))
        ]
    return tried


def grid_size(space: Space) -> int:
    """How many settings a space has.

    Raises:
        ValueError: There are too many to count; the argument is the name of a range.
    """
    return math.prod(_size(name, range_) for name, range_ in space.items())


def _size(name: str, range_: Range) -> int:
    if isinstance(range_, Choice) and range_.blocks:
        return sum(grid_size(_ranges(each, name)) for each in range_.blocks.values())
    if range_.count is None:
        raise ValueError(name)
    return range_.count


def largest(algorithm: Algorithm, space: Space) -> Algorithm:
    """An algorithm with the largest replay that a space has for it."""
    if (range_ := space.get("replay")) is None:
        return algorithm
    ends: Any = range_.choice if isinstance(range_, Choice) else range_.bounds
    return with_values(algorithm, {"replay": max(ends)})


def corners(space: Space, most: int) -> Iterator[Params]:
    """Settings at the ends of ranges and with every choice, at most so many.

    At first each end alone, beside the first ends of all others, and then all together.
    """
    found = dimensions(space)
    ends: dict[str, tuple[Point, ...]] = {
        name: each.range.values if isinstance(each.range, Choice) else each.range.bounds
        for name, each in found.items()
    }
    first = {name: points[0] for name, points in ends.items()}
    alone = (
        {**first, **chosen, name: end}
        for name, points in ends.items()
        for chosen in _choosing(found, name)
        for end in points
    )
    together = (
        dict(zip(ends, points, strict=True)) for points in product(*ends.values())
    )
    return islice(chain(alone, together), most)


def read_params(searched: Mapping[str, Dimension], row: Mapping[str, str]) -> Params:
    """What a row of a table says was tried; it has a cell for each dimension."""
    params: Params = {}
    for name, dimension in searched.items():
        if dimension.is_active(params):
            params[name] = read_point(dimension.range, row[name])
    return params


def _choosing(found: Mapping[str, Dimension], name: str) -> Iterator[Params]:
    """Choices by which a dimension means anything."""
    if not found[name].chosen:
        yield {}
    for choice, point in found[name].chosen:
        for before in _choosing(found, choice):
            yield {**before, choice: point}
