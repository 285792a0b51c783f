"""What a search may try: ranges of numbers, choices of values and of whole blocks."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Discriminator, Field, JsonValue, PositiveInt, Tag

from pipeline.core.config.values import Positive, Value, either, parsed

Point: TypeAlias = float | int | str | bool | None
"""What is tried for one dimension: a number, or what a choice is called."""
Params: TypeAlias = dict[str, Point]
"""Dotted names of dimensions, sorted, and what is tried for them."""
Block: TypeAlias = dict[str, JsonValue]
"""Settings as they stand in the file, of which some may be ranges."""


class LogUniform(Value):
    """Numbers between two bounds, every factor equally likely."""

    log_uniform: tuple[Positive, Positive]

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.log_uniform

    @property
    def values(self) -> tuple[Point, ...] | None:
        """There are too many to list."""
        return None

    def at(self, share: float) -> Point:
        """The number at a share in [0, 1) of the way through the range."""
        low, high = self.log_uniform
        return float(min(high, low * (high / low) ** share))


class Uniform(Value):
    """Numbers between two bounds, every difference equally likely."""

    uniform: tuple[float, float]
    step: Positive | None = None
    """Between two numbers that may be tried; without it, all between the bounds may."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.uniform

    @property
    def values(self) -> tuple[Point, ...] | None:
        """Every number that may be tried; None without a step."""
        if self.step is None:
            return None
        low, high = self.uniform
        return tuple(low + self.step * n for n in range(steps(low, high, self.step)))

    def at(self, share: float) -> Point:
        """The number at a share in [0, 1) of the way through the range."""
        low, high = self.uniform
        if (values := self.values) is not None:
            return _part(values, share)
        return low + (high - low) * share


class Integer(Value):
    """Whole numbers between two bounds, both included, equally likely."""

    integer: tuple[int, int]
    step: PositiveInt | None = None
    """Between two numbers that may be tried; without it, 1."""

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest number."""
        return self.integer

    @property
    def values(self) -> tuple[Point, ...]:
        """Every number that may be tried."""
        low, high = self.integer
        return tuple(range(low, high + 1, self.step or 1))

    def at(self, share: float) -> Point:
        """The number at a share in [0, 1) of the way through the range."""
        return _part(self.values, share)


class Choice(Value):
    """One of a list of values, or of blocks that have names."""

    choice: Annotated[
        Annotated[Annotated[tuple[JsonValue, ...], Field(min_length=1)], Tag("values")]
        | Annotated[Annotated[dict[str, Block], Field(min_length=1)], Tag("blocks")],
        Discriminator(
            lambda value: "blocks" if isinstance(value, dict) else "values",
            custom_error_type="variant",
            custom_error_message="must be [value, …] or {name: block, …}",
        ),
    ]

    @property
    def blocks(self) -> Mapping[str, Block]:
        """Blocks by name; none, where values are chosen from."""
        return self.choice if isinstance(self.choice, dict) else {}

    @property
    def values(self) -> tuple[Point, ...]:
        """What the choices are called: scalars as they are, lists as text."""
        return tuple(map(_called, self.choice))

    def at(self, share: float) -> Point:
        """The choice at a share in [0, 1) of the way through them."""
        return _part(self.values, share)

    def meant(self, point: Point) -> JsonValue:
        """The value or the block that is called so."""
        if isinstance(self.choice, dict):
            return self.choice[str(point)]
        return self.choice[self.values.index(point)]


KINDS: Final = ("log_uniform", "uniform", "integer", "choice")
Range = Annotated[
    Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Integer, Tag("integer")]
    | Annotated[Choice, Tag("choice")],
    either(*KINDS),
]
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
        ValueError: Two blocks search a setting over different ranges, or what stands
            in a block is no range; the arguments are the name and what is wrong.
    """
    found: dict[str, Dimension] = {}
    for dimension in _dimensions(space, None):
        name, chosen = dimension.name, dimension.chosen
        if (known := found.get(name)) is not None:
            if known.range != dimension.range:
                raise ValueError(name, "is searched over two ranges")
            chosen = (*known.chosen, *chosen)
        found[name] = Dimension(name, dimension.range, chosen)
    return dict(sorted(found.items()))


def _dimensions(space: Space, chosen: tuple[str, Point] | None) -> Iterator[Dimension]:
    for name, range_ in space.items():
        yield Dimension(name, range_, () if chosen is None else (chosen,))
        if isinstance(range_, Choice):
            for label, block in range_.blocks.items():
                yield from _dimensions(_ranges(block, name), (name, label))


def _ranges(block: Mapping[str, JsonValue], name: str) -> dict[str, Range]:
    """The ranges that stand in a block of that name."""
    found: dict[str, Range] = {}
    for field, value in block.items():
        here = f"{name}.{field}"
        if is_range(value):
            found[here] = parsed(Range, value)
        elif isinstance(value, dict):
            found |= _ranges(value, here)
    return found


def is_range(value: object) -> bool:
    """Whether what stands in a file is to be searched."""
    return isinstance(value, dict) and any(kind in value for kind in KINDS)


def settings(space: Space, params: Params) -> dict[str, Any]:
    """What the settings of a space become, by dotted name, when params are tried."""
    return {name: _settled(range_, name, params) for name, range_ in space.items()}


def _settled(range_: Range, name: str, params: Params) -> Any:
    if not isinstance(range_, Choice):
        return params[name]
    value = range_.meant(params[name])
    return _filled(value, name, params) if isinstance(value, dict) else value


def _filled(block: Mapping[str, JsonValue], name: str, params: Params) -> Any:
    """A block in which ranges have become values."""
    filled: dict[str, Any] = {}
    for field, value in block.items():
        here = f"{name}.{field}"
        if is_range(value):
            filled[field] = _settled(parsed(Range, value), here, params)
        else:
            inner = isinstance(value, dict)
            filled[field] = _filled(value, here, params) if inner else value  # type: ignore[arg-type]
    return filled


def grid(space: Space) -> list[Params]:
    """Every setting of a space that has finitely many, in the order of names.

    Raises:
        ValueError: A range has too many numbers to list; the argument is its name.
    """
    tried: list[Params] = [{}]
    for name, dimension in dimensions(space).items():
        values = dimension.range.values
        if values is None:
            raise ValueError(name)
        tried = [
            {**params, name: value} if active else params
            for params in tried
            for active in [dimension.is_active(params)]
            for value in (values if active else (None,))
        ]
    return tried


def corners(space: Space, most: int) -> Iterator[Params]:
    """Settings at the ends of every range and with every choice, at most so many."""
    ends = {
        name: (*dimension.range.values,)
        if isinstance(dimension.range, Choice)
        else dimension.range.bounds
        for name, dimension in dimensions(space).items()
    }
    for _, points in zip(range(most), product(*ends.values()), strict=False):
        yield dict(zip(ends, points, strict=True))


def read_params(searched: Mapping[str, Dimension], row: Mapping[str, str]) -> Params:
    """What a row of a table says was tried; it has a cell for each dimension."""
    params: Params = {}
    for name, dimension in searched.items():
        if dimension.is_active(params):
            params[name] = read_point(dimension.range, row[name])
    return params


def read_point(range_: Range, cell: str) -> Point:
    """What a cell of a table says was tried."""
    match range_:
        case Choice():
            return next(point for point in range_.values if _cell(point) == cell)
        case Integer():
            return int(cell)
        case _:
            return float(cell)


def _cell(point: Point) -> str:
    if isinstance(point, bool):
        return str(int(point))
    return "" if point is None else str(point)


def steps(low: float, high: float, step: float) -> int:
    """How many numbers there are from one to another in equal steps."""
    return math.floor((high - low) / step + 1e-9) + 1


def _part(values: tuple[Point, ...], share: float) -> Point:
    return values[int(share * len(values))]


def _called(value: JsonValue) -> Point:
    return json.dumps(value) if isinstance(value, list | dict) else value
