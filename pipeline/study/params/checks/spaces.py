"""Checks of what is searched: what an algorithm has, and what it can be."""

from typing import Final

from pydantic import ValidationError

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.values import named_settings, with_values
from pipeline.study.errors import nearest
from pipeline.study.params.checks.found import Found
from pipeline.study.params.checks.settings import unfillable
from pipeline.study.params.mistakes import explained
from pipeline.study.params.ranges import Block, Choice, Entry
from pipeline.study.params.space import Params, Space, corners, dimensions, settings
from pipeline.study.params.yaml_lines import Place

CORNERS: Final = 1000
"""Settings of a space that are looked at; a large one has more."""
BOUNDS: Final = ("must be greater", "must be less", "must be at")
"""What messages about a number that is too large or too small begin with."""


def space(place: Place, algorithm: Algorithm, space: Space, steps: int | None) -> Found:
    """Settings that cannot be searched, or cannot be what they may become.

    `steps` are those of a trial, if there is any.
    """
    names = [name for name in named_settings(algorithm) if name != "kind"]
    for field in space:
        if field not in names:
            hint = nearest(field, names)
            yield (
                (*place, field),
                f"cannot be searched; {hint}allowed: {', '.join(names)}",
            )
        if around := [other for other in space if field.startswith(f"{other}.")]:
            yield (
                (*place, field),
                f"'{around[0]}' is searched as a whole; write this in its blocks",
            )
            return
    known = {field: range_ for field, range_ in space.items() if field in names}
    try:
        found = [*corners(known, CORNERS)] if known else []
    except ValueError as error:
        name, why = error.args
        field = next(field for field in known if name.startswith(f"{field}."))
        yield (*place, field), f"'{name}' {why}; blocks must agree, or be one block"
        return
    for params in found:
        for where, message in _corner(algorithm, known, params, steps):
            yield (*place, *where), message


def _corner(
    algorithm: Algorithm, space: Space, params: Params, steps: int | None
) -> Found:
    """What an algorithm cannot be, of what is tried, by where it stands in a space."""
    try:
        tried = with_values(algorithm, settings(space, params))
    except ValidationError as error:
        searched = dimensions(space)
        for where, message in explained(error, type(algorithm)):
            name = ".".join(str(key) for key in where)
            if name in searched and not isinstance(searched[name].range, Choice):
                message = _of_number(message)
            yield _written(space, where, params), message
        return
    if reason := unfillable(tried):
        yield (), f"may become a batch that {reason}"
    waits = tried.waits_for
    if steps and waits in space and tried.waiting >= steps:
        yield (waits,), f"nothing is learned in {steps} steps with {params[waits]}"


def _of_number(message: str) -> str:
    """What is said of a range of numbers if this is said of one of them."""
    if message.startswith("must be a whole number"):
        return "must be whole numbers; write {integer: [low, high]}"
    if message.startswith(BOUNDS):
        return message
    return f"is no number; write {{choice: [value, …]}} ({message})"


def _written(space: Space, setting: Place, params: Params) -> Place:
    """Where in a space stands what a setting becomes when params are tried."""
    for field, range_ in space.items():
        path = tuple(field.split("."))
        if setting[: len(path)] == path:
            return (field, *_inside(range_, field, setting[len(path) :], params))
    return ()


def _inside(entry: Entry, name: str, rest: Place, params: Params) -> Place:
    """The rest of the place of a setting, from an entry of that name on."""
    if isinstance(entry, Choice) and entry.blocks:
        label = str(params[name])
        block = entry.blocks[label]
        return ("choice", label, *_inside(block, name, rest, params))
    if isinstance(entry, Block) and rest and rest[0] in entry.root:
        inside = entry.root[str(rest[0])]
        return (rest[0], *_inside(inside, f"{name}.{rest[0]}", rest[1:], params))
    return ()
