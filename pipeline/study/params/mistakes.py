"""What pydantic found wrong with a file, in the words of those who write the file."""

import json
import math
import re
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from pipeline.study.errors import closest, nearest
from pipeline.study.params.yaml_lines import Document, Mistake, Place

_SHOWN: Final = 40
"""Characters of a wrong value that a message shows."""

_KINDS: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
}
_BOUNDS: Final = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def mistakes_of(
    error: ValidationError, model: type[BaseModel], document: Document
) -> list[tuple[Place, Mistake]]:
    """Every mistake with its place, in the order found."""
    return [
        (place, document.mistake(place, message))
        for place, message in explained(error, model)
    ]


def explained(
    error: ValidationError, model: type[BaseModel]
) -> list[tuple[Place, str]]:
    """What is wrong with data of a model, and where, in the order found."""
    details = error.errors(include_url=False)
    resolved = [_resolve(model, each["loc"]) for each in details]
    absent = {
        place
        for each, (place, _) in zip(details, resolved, strict=True)
        if each["type"] == "missing"
    }
    found, renamed = [], set()
    for each, (place, part) in zip(details, resolved, strict=True):
        if each["type"] == "extra_forbidden":
            beside = [str(name) for *rest, name in absent if tuple(rest) == place[:-1]]
            meant = closest(place[-1], beside)
            renamed.add((*place[:-1], meant))
        found.append(_explain(each, place, part))
    return [(place, message) for place, message in found if place not in renamed]


def shown(value: object) -> str:
    """A value as it stands in the file, shortened."""
    match value:
        case None:
            return "nothing"
        case str():
            text = f"'{value}'"
        case float() if not math.isfinite(value):
            return f".{value}".replace(".-", "-.")
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def either_of(names: Iterable[object]) -> str:
    """`'a', 'b' or 'c'`."""
    *most, last = [f"'{name}'" for name in names]
    return f"{', '.join(most)} or {last}" if most else last


# --------------------------------------------------------------------- the places


def _resolve(model: Any, loc: Place) -> tuple[Place, Any]:
    """Place of an error in the file, and the type of what is around it.

    Pydantic's `loc` also names the variant of each union that it went through; the
    file does not. An error about a union itself gets the type of the union.
    """
    place: list[str | int] = []
    around = part = model
    for step in loc:
        variants = _variants(part)
        if step in variants:
            part = variants[step]
        elif step != "[key]":
            place.append(step)
            around, part = part, _inside(part, step)
    return tuple(place), part if _variants(part) else around


def _bare(kind: Any) -> Any:
    """A type without its annotations, and without the None that it may also be."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind):
        others = [each for each in get_args(kind) if each is not NoneType]
        return _bare(others[0]) if len(others) == 1 else kind
    if isinstance(kind, type) and issubclass(kind, RootModel):
        return _bare(kind.model_fields["root"].annotation)
    return kind


def _variants(kind: Any) -> dict[Any, Any]:
    """The variants of a union of models by the tag that pydantic has for each."""
    kind = _bare(kind)
    if get_origin(kind) not in (Union, UnionType):
        return {}
    variants = {}
    for variant in get_args(kind):
        tags = [extra.tag for extra in get_args(variant)[1:] if isinstance(extra, Tag)]
        if not tags and "kind" in _fields(variant):
            tags = list(get_args(_inside(variant, "kind")))
        variants.update(dict.fromkeys(tags, _bare(variant)))
    return variants


def _fields(kind: Any) -> list[str]:
    """The keys of a model; a mapping's are the user's own."""
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return []


def _inside(kind: Any, step: str | int) -> Any:
    """The type of a field, of a mapping's values, or of a list's elements."""
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(step))
        return field.annotation if field else None
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is dict:
            return arguments[1]
        case origin if origin is tuple:
            return arguments[0]
        case _:
            return None


# ------------------------------------------------------------------- the messages


def _explain(details: ErrorDetails, place: Place, around: Any) -> tuple[Place, str]:
    """Where exactly the mistake is, and what to say about it."""
    kind, found = details["type"], details["input"]
    match kind:
        case "missing" if place and isinstance(place[-1], int):
            return place[:-1], f"must have {place[-1] + 1} values, found {place[-1]}"
        case "union_tag_not_found" if isinstance(found, dict):
            return (*place, "kind"), f"missing; {either_of(_variants(around))}"
        case "union_tag_not_found":
            return place, f"must be a mapping, found {shown(found)}"
        case "union_tag_invalid":
            tag = details["ctx"]["tag"]
            return (*place, "kind"), _choice(tag, _variants(around))
        case "missing" | "extra_forbidden" | "model_type":
            return place, _about_keys(kind, place, around, found)
        case "literal_error":
            names = details["ctx"]["expected"].replace(" or ", ", ").split(", ")
            return place, _choice(found, [name.strip("'") for name in names])
        case "string_pattern_mismatch":
            return place, f"a name is made of a-z, 0-9 and _, found {shown(found)}"
        case "string_too_long":
            longest = details["ctx"]["max_length"]
            return place, f"a name has at most {longest} characters, found {len(found)}"
        case "too_short" | "too_long":
            return place, _length(kind, details["ctx"])
        case _:
            return place, explain_value(details)


def _about_keys(kind: str, place: Place, around: Any, found: object) -> str:
    """About a key that is missing or unknown, or a value that should have had keys."""
    keys = _fields(around)
    if kind == "missing":
        return f"missing; the keys here are {', '.join(keys)}"
    if kind == "extra_forbidden":
        hint = nearest(place[-1], keys)
        return f"unknown key; {hint}allowed: {', '.join(keys)}"
    keys = _fields(_inside(around, place[-1]) if place else around)
    return f"must be a mapping with the keys {', '.join(keys)}, found {shown(found)}"


def _choice(found: object, names: Iterable[str]) -> str:
    hint = nearest(found, names).strip()
    suffix = f"; {hint}" if hint else ""
    return f"must be {either_of(names)}, found {shown(found)}{suffix}"


def _length(kind: Literal["too_short", "too_long"], context: dict[str, Any]) -> str:
    if kind == "too_short":
        bound, limit = "at least", context["min_length"]
    else:
        bound, limit = "at most", context["max_length"]
    values = "value" if limit == 1 else "values"
    return f"must have {bound} {limit} {values}, found {context['actual_length']}"


def explain_value(details: ErrorDetails) -> str:
    """About a value that is of the wrong kind or size."""
    kind, found = details["type"], details["input"]
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        limit = details["ctx"][name]
        must = f"must be {words} {limit if isinstance(limit, int) else f'{limit:g}'}"
    elif kind in _KINDS:
        must = f"must be {_KINDS[kind]}"
    else:
        must = details["msg"][:1].lower() + details["msg"][1:]
    return f"{must}, found {shown(found)}{_hint(kind, found)}"


def _hint(kind: str, found: object) -> str:
    """How to say what was probably meant."""
    match kind, found:
        case "bool_type", "true" | "false":
            return "; write it without quotes"
        case "string_type", bool() | int() | float():
            return "; write it in quotes"
        case "tuple_type", int() | float() if not isinstance(found, bool):
            return f"; write [{found}]"
        case "int_type" | "int_from_float" | "float_type", str() | float():
            spelled = _number(str(found), whole=kind != "float_type")
            if spelled == found:
                return "; write it without quotes"
            return f"; write {spelled}" if spelled else ""
    return ""


def _number(text: str, *, whole: bool) -> str | None:
    """The number that a text stands for, as YAML has it; None if it stands for none."""
    if whole and re.fullmatch(r"\d{1,3}([ ,]\d{3})+", text):
        text = re.sub("[ ,]", "", text)
    try:
        number = float(text)
    except ValueError:
        return None
    if whole:
        return str(int(number)) if number.is_integer() else None
    return str(number) if math.isfinite(number) else None
