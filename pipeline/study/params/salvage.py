"""What is sound in a file with mistakes, so that those between parts show too.

Entries that are wrong are left out; a wrong value that has to be there is replaced by
one that its type allows and that contradicts nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.study.params.yaml_lines import Place


@dataclass(frozen=True)
class StandIn:
    """Marks a type with what stands for it where a file has it wrong."""

    value: Any


def sound_part(
    model: type[BaseModel], data: Any, broken: Collection[Place]
) -> dict[str, Any]:
    """The data without broken entries, and with stand-ins for other broken values."""
    around = {place[: length + 1] for place in broken for length in range(len(place))}
    return _sound(model, data, (), around)


def _sound(
    model: type[BaseModel], data: Any, place: Place, broken: Collection[Place]
) -> dict[str, Any]:
    given = data if isinstance(data, dict) else {}
    part = {}
    for name, field in model.model_fields.items():
        here, kind = (*place, name), _without_none(field.annotation)
        if name in given and here not in broken:
            part[name] = given[name]
        elif get_origin(kind) is dict:
            entries = given.get(name)
            part[name] = {
                key: value
                for key, value in (entries if isinstance(entries, dict) else {}).items()
                if (*here, key) not in broken
            }
        elif name not in given and not field.is_required():
            continue
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            part[name] = _sound(kind, given.get(name), here, broken)
        else:
            part[name] = _stand_in(field.annotation, field.metadata)
    return part


def _without_none(kind: Any) -> Any:
    """The type that an optional field has if it is there."""
    if get_origin(kind) in (Union, UnionType):
        others = [each for each in get_args(kind) if each is not NoneType]
        return others[0] if len(others) == 1 else kind
    return kind


def _stand_in(kind: Any, metadata: Collection[Any]) -> Any:
    """The smallest value of a type."""
    facts = list(metadata)
    while get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        facts += more
    for fact in list(facts):
        facts += fact.metadata if isinstance(fact, FieldInfo) else ()
    if marked := [fact for fact in facts if isinstance(fact, StandIn)]:
        return marked[0].value
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) is tuple:
        lengths = [fact.min_length for fact in facts if hasattr(fact, "min_length")]
        return [_stand_in(get_args(kind)[0], ())] * max(lengths, default=0)
    if kind is str:
        return "study"
    return _least(kind, facts)


def _least(kind: Any, facts: Collection[Any]) -> Any:
    """The smallest number within bounds, or one inside of an open interval."""

    def bounds(name: str) -> list[Any]:
        return [getattr(fact, name) for fact in facts if hasattr(fact, name)]

    least, above, below = bounds("ge"), bounds("gt"), bounds("lt")
    if least:
        return kind(max(least))
    if kind is float and above and below:
        return (above[0] + below[0]) / 2
    return kind(above[0] + 1 if above else 0)
