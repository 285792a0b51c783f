"""What may be tried for a setting: numbers of a range, or choices."""

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeAlias

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    JsonValue,
    PositiveInt,
    RootModel,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.core.config.values import Positive, Value, either
from pipeline.study.store.files import cell

Point: TypeAlias = float | int | str | bool | None
"""What is tried for one dimension: a number, or what a choice is called."""


def _ascending(bounds: tuple[Any, Any]) -> tuple[Any, Any]:
    low, high = bounds
    if not 0 < high - low < math.inf:
        raise PydanticCustomError("range", "must be [low, high] with low < high")
    return bounds


def _positive(bound: float) -> float:
    if bound <= 0:
        raise PydanticCustomError(
            "log_range",
            "must be greater than 0 (a range through 0 is {uniform: [low, high]})",
        )
    return bound


_Bound = Annotated[float, AfterValidator(_positive)]
_Label = Annotated[str, Field(min_length=1, max_length=50)]
_Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]


class LogUniform(Value):
    """Numbers between two bounds, every factor equally likely."""

    log_uniform: Annotated[tuple[_Bound, _Bound], AfterValidator(_ascending)]

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.log_uniform

    @property
    def count(self) -> int | None:
        """How many numbers may be tried: too many to count."""
        return None

    @property
    def values(self) -> tuple[Point, ...]:
        """None that could be listed."""
        return ()

    def at(self, share: float) -> Point:
        """The number at a share in [0, 1) of the way through the range."""
        low, high = self.log_uniform
        return float(min(high, max(low, low ** (1 - share) * high**share)))


class _Stepped(Value):
    """Numbers between two bounds, in steps if there are any."""

    if TYPE_CHECKING:
        step: float | None

        @property
        def bounds(self) -> tuple[float, float]:
            """The lowest and the highest number."""

    @property
    def _steps(self) -> Fraction | None:
        """How often the step fits between the bounds, by the digits as written."""
        low, high = (Fraction(str(bound)) for bound in self.bounds)
        return (high - low) / Fraction(str(self.step)) if self.step else None

    @model_validator(mode="after")
    def _check_step(self) -> Self:
        if (steps := self._steps) is not None and steps.denominator != 1:
            raise PydanticCustomError(
                "step",
                "must have a step that divides high - low; the nearest high is {high}",
                {"high": self._nth(max(1, round(steps)))},
            )
        return self

    @property
    def count(self) -> int | None:
        """How many numbers may be tried; None without a step."""
        return None if self._steps is None else int(self._steps) + 1

    @property
    def values(self) -> tuple[Point, ...]:
        """Every number that may be tried; none without a step."""
        return tuple(map(self._nth, range(self.count or 0)))

    def _nth(self, n: int) -> Point:
        number = Fraction(str(self.bounds[0])) + n * Fraction(str(self.step))
        return type(self.bounds[0])(number)

    def at(self, share: float) -> Point:
        """The number at a share in [0, 1) of the way through the range."""
        if self.count is not None:
            return self._nth(_part(share, self.count))
        low, high = self.bounds
        return min(high, low + (high - low) * share)


class Uniform(_Stepped):
    """Numbers between two bounds, every difference equally likely."""

    uniform: Annotated[tuple[float, float], AfterValidator(_ascending)]
    step: Positive | None = None
    """Between two numbers that may be tried; without it, all between the bounds may."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.uniform


class Integer(_Stepped):
    """Whole numbers between two bounds, both included, equally likely."""

    integer: Annotated[tuple[_Whole, _Whole], AfterValidator(_ascending)]
    step: PositiveInt = 1
    """Between two numbers that may be tried."""

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest number."""
        return self.integer


class Block(RootModel[Any]):
    """Settings of which some may be ranges."""

    root: dict[str, "Entry"]


def _different(values: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
    cells = [cell(_called(value)) for value in values]
    for each in cells:
        if cells.count(each) > 1:
            raise PydanticCustomError(
                "choice", "must be different values, not {cell} twice", {"cell": each}
            )
    return values


_Values = Annotated[
    tuple[JsonValue, ...], Field(min_length=1), AfterValidator(_different)
]
_Blocks = Annotated[dict[_Label, Block], Field(min_length=1)]


def _listed(value: object) -> str | None:
    if isinstance(value, dict):
        return "blocks"
    return "values" if isinstance(value, list | tuple) else None


class Choice(Value):
    """One of a list of values, or of blocks that have names."""

    choice: Annotated[
        Annotated[_Values, Tag("values")] | Annotated[_Blocks, Tag("blocks")],
        Discriminator(
            _listed,
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

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self.choice)

    def at(self, share: float) -> Point:
        """The choice at a share in [0, 1) of the way through them."""
        return self.values[_part(share, self.count)]

    def meant(self, point: Point) -> "Entry":
        """The value or the block that is called so."""
        if isinstance(self.choice, dict):
            return self.choice[str(point)]
        return self.choice[self.values.index(point)]


KINDS: Final = ("log_uniform", "uniform", "integer", "choice")
RANGES: Final = (LogUniform, Uniform, Integer, Choice)


def _tag(value: object) -> str:
    """Which range stands in a block, or what else."""
    given = value if isinstance(value, dict) else getattr(value, "__dict__", ())
    if kind := next((kind for kind in KINDS if kind in given), None):
        return kind
    return "block" if isinstance(value, dict | Block) else "value"


_Ranges: TypeAlias = (
    Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Integer, Tag("integer")]
    | Annotated[Choice, Tag("choice")]
)
Range: TypeAlias = Annotated[_Ranges, either(*KINDS)]
Entry: TypeAlias = Annotated[
    _Ranges | Annotated[Block, Tag("block")] | Annotated[JsonValue, Tag("value")],
    Discriminator(_tag),
]
"""What stands in a block."""
Block.model_rebuild()
Choice.model_rebuild()


def read_point(range_: Range, text: str) -> Point:
    """What a cell of a table says was tried."""
    match range_:
        case Choice():
            return next(point for point in range_.values if cell(point) == text)
        case Integer():
            return int(text)
        case _:
            return float(text)


def _part(share: float, count: int) -> int:
    return min(count - 1, int(share * count))


def _called(value: JsonValue) -> Point:
    return json.dumps(value) if isinstance(value, list | dict) else value
