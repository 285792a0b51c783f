"""What every setting is made of: value objects, numbers with bounds, alternatives."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    TypeAdapter,
)


class Value(BaseModel):
    """A value object: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


Settings = TypeVar("Settings", bound=Value)


class PerMember:
    """Marks a number that may differ between the members of one population.

    These are the numbers that a sweep may search over.
    """


Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
PerMemberPositive = Annotated[float, Field(gt=0), PerMember]
PerMemberNumber = Annotated[float, PerMember]
LearningRate = Annotated[float, Field(gt=0, le=1), PerMember]
Fraction = Annotated[float, Field(gt=0, le=1)]
Discount = Annotated[float, Field(gt=0, lt=1)]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
Row = Annotated[tuple[float, ...], Field(min_length=1)]
Matrix = Annotated[tuple[Row, ...], Field(min_length=1)]


def either(*names: str) -> Discriminator:
    """Choose a union's variant by the one key that only this variant has."""

    def chosen(value: Any) -> str | None:
        if isinstance(value, dict):
            return next((name for name in names if name in value), None)
        return next((name for name in names if hasattr(value, name)), None)

    expected = " or ".join(f"{{{name}: …}}" for name in names)
    return Discriminator(
        chosen, custom_error_type="variant", custom_error_message=f"must be {expected}"
    )


def parsed(kind: Any, data: object) -> Any:
    """Plain data as settings of a kind, which may be a union or a list.

    By way of JSON, because strict pydantic takes a list for a tuple only from there.

    Raises:
        ValueError: The data describe nothing of that kind.
    """
    return TypeAdapter(kind).validate_json(json.dumps(data))


def values_of(model: Value, prefix: str = "") -> dict[str, float]:
    """The numbers that may differ between members, by dotted name."""
    values: dict[str, float] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, Value):
            values |= values_of(value, f"{prefix}{name}.")
        elif PerMember in field.metadata or PerMember in get_args(field.annotation):
            values[f"{prefix}{name}"] = value
    return values


def sweepable(model: Value) -> list[str]:
    """Dotted names of the numbers that a sweep may search over."""
    return list(values_of(model))


def shared(model: Value) -> dict[str, Any]:
    """The settings that members of a population have in common."""
    data = model.model_dump(mode="json")
    for name in values_of(model):
        *path, last = name.split(".")
        part = data
        for step in path:
            part = part[step]
        del part[last]
    return data


def with_values(model: Settings, values: Mapping[str, Any]) -> Settings:
    """The same settings with some replaced, numbers or whole blocks, by dotted names.

    Raises:
        KeyError: There is no setting of that name.
        ValueError: A setting cannot be that.
    """
    data = model.model_dump(mode="json")
    for name, value in values.items():
        *path, last = name.split(".")
        part = data
        for step in path:
            part = part[step]
        if last not in part:
            raise KeyError(name)
        part[last] = value
    changed: Settings = parsed(type(model), data)
    return changed


def named_settings(model: Value) -> list[str]:
    """Dotted names of all settings, those of blocks and of what is in them."""
    return list(_named(model.model_dump(mode="json"), ""))


def _named(data: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in data.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _named(value, f"{prefix}{name}.")
