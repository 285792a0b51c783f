"""What of a world can be reached, and what makes a world impossible."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from pipeline.core.tasks.geometry import Box, Point, distances
from pipeline.core.tasks.navigation.bodies import Body
from pipeline.core.tasks.navigation.bodies import Point as PointBody
from pipeline.core.tasks.navigation.world import START_BOUND, TARGET_RADIUS, World

MESH: Final = 0.1
"""Distance of the places by which it is found out what can be reached."""
ROUNDING: Final = 1e-9
"""What a place of the mesh may be off by."""
Place: TypeAlias = tuple[str | int, ...]
"""Where in what is written of a world."""
Mistakes: TypeAlias = Iterator[tuple[Place, str]]


def threshold(world: World) -> float:
    """Least distance to a target that can be had without an open passage.

    Exact where walls end at multiples of a tenth; else at most a tenth too small.

    Raises:
        ValueError: The world has no passages.
    """
    if world.passages is None:
        raise ValueError("only a world with passages has a threshold")
    from scipy.ndimage import binary_dilation

    reached = reachable(world, world.closed + world.passages.open)
    touched = binary_dilation(reached, structure=np.ones((3, 3)))
    nearest = distances(_mesh(world)[touched], np.array(world.targets)).min()
    return float(nearest)


def mistakes(world: World) -> Mistakes:
    """What keeps it from being a world."""
    found = [*_misplaced(world)]
    yield from found
    if not found and world.closed:
        yield from _without_way(world)


def misfits(world: World, body: Body) -> Iterator[str]:
    """Why a body that takes space has no room; nothing of a world with mistakes."""
    if isinstance(body, PointBody) or next(mistakes(world), None):
        return
    margin = body.radius + START_BOUND
    start = _around(world.start, margin)
    near = [" ".join(map(str, at)) for at, box in _closed(world) if box.meets(*start)]
    if _outside(start, world.half_width):
        near.append("the end of the plane")
    if near:
        yield (
            f"reaches {body.radius:g} from where it is, and starts at most "
            f"{START_BOUND:g} from {_named(world.start)}: {' and '.join(near)} must be "
            f"more than {margin:g} from there along an axis"
        )
    elif world.closed:
        for at, message in _without_way(_narrowed(world, body.width / 2)):
            yield (
                f"takes ways more than {body.width:g} wide, and there is none where it "
                f"is needed: {' '.join(map(str, at))}: {message}; move the walls apart"
            )


def _narrowed(world: World, margin: float) -> World:
    """The same for the middle of what stays so far from walls and ends of the plane."""

    def grown(boxes: Iterable[Box]) -> tuple[Box, ...]:
        each = ((_around(box.low, margin), _around(box.high, margin)) for box in boxes)
        return tuple(Box(low=low[0], high=high[1]) for low, high in each)

    changed: dict[str, Any] = {"walls": grown(world.walls + world.ends)}
    if world.passages is not None:
        blocked = {"blocked": grown(world.passages.blocked)}
        changed["passages"] = world.passages.model_copy(update=blocked)
    return world.model_copy(update=changed)


def _misplaced(world: World) -> Mistakes:
    """Things that are where they cannot be."""
    bound = world.half_width
    start = _around(world.start, START_BOUND)
    if _outside(start, bound):
        yield ("start",), f"must be at least {START_BOUND:g} inside of {_plane(world)}"
    for index, box in enumerate(world.passages.open if world.passages else ()):
        if box.meets(*start):
            yield ("passages", "open", index), "must not be where episodes start"
    for place, box in _closed(world):
        if box.meets(*start):
            yield (
                place,
                f"must leave free where episodes start: {_named(world.start)} and "
                f"{START_BOUND:g} around it",
            )
        if _outside((box.low, box.high), bound):
            yield place, f"must be in {_plane(world)}"
    yield from _misplaced_targets(world)
    line = world.finish_line
    if line is not None and not start[1][0] < line < bound:
        yield (
            ("finish_line",),
            f"must be between the start and the end of the plane, above "
            f"{start[1][0]:g} and below {bound:g}, found {line:g}",
        )


def _misplaced_targets(world: World) -> Mistakes:
    if world.passages is not None and not world.targets:
        yield ("passages",), "lead to a target, and there are no `targets`"
    for index, target in enumerate(world.targets):
        if target in world.targets[:index]:
            yield ("targets", index), "is written twice"
        if _outside((target, target), world.half_width):
            yield ("targets", index), f"must be in {_plane(world)}"
        if math.dist(target, world.start) < TARGET_RADIUS + START_BOUND * math.sqrt(2):
            yield ("targets", index), "is reached where episodes start"
        for place, box in _closed(world):
            if box.meets(target, target):
                wall = " ".join(map(str, place))
                yield ("targets", index), f"must not be in a wall; it is in {wall}"


def _without_way(world: World) -> Mistakes:
    """Things that are where no way leads."""
    reached, mesh = reachable(world, world.closed), _mesh(world)
    for index, target in enumerate(world.targets):
        if not reached[_node(world, target)]:
            yield ("targets", index), "no way leads there from the start"
    line = world.finish_line
    if line is not None and not (reached & (mesh[..., 0] >= line)).any():
        yield ("finish_line",), "no way leads past it from the start"
    if world.passages is None:
        return
    ways = world.passages.open
    for index in range(len(ways)):
        alone = reachable(world, world.closed + ways[:index] + ways[index + 1 :])
        if not any(alone[_node(world, target)] for target in world.targets):
            message = "is closed: no way leads through it alone to a target"
            yield ("passages", "open", index), message
    if threshold(world) < TARGET_RADIUS:
        yield (
            ("passages", "open"),
            "a target can be reached without any of them, so that nothing tells who "
            "went through",
        )


def reachable(world: World, closed: Iterable[Box]) -> Bool[ndarray, "x y"]:
    """The places of a mesh to which a way leads from the start and touches no box."""
    from scipy.ndimage import label  # .2 s that a world without walls need not pay

    region, _ = label(~_inside(_mesh(world), closed))
    return np.asarray((region > 0) & (region == region[_node(world, world.start)]))


def _mesh(world: World) -> Float[ndarray, "x y 2"]:
    count = 2 * round(world.half_width / MESH) + 1
    axis = np.linspace(-world.half_width, world.half_width, count)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)


def _node(world: World, place: Point) -> tuple[int, int]:
    steps = round(world.half_width / MESH)
    x, y = (round((each / world.half_width + 1) * steps) for each in place)
    return x, y


def _inside(
    places: Float[ndarray, "x y 2"], boxes: Iterable[Box]
) -> Bool[ndarray, "x y"]:
    found = np.zeros(places.shape[:2], dtype=bool)
    for box in boxes:
        low, high = np.array(box.low) - ROUNDING, np.array(box.high) + ROUNDING
        found |= ((places >= low) & (places <= high)).all(axis=-1)
    return found


def _closed(world: World) -> Iterator[tuple[Place, Box]]:
    """Every wall, and where it is written."""
    for index, box in enumerate(world.walls):
        yield ("walls", index), box
    if world.passages is not None:
        for index, box in enumerate(world.passages.blocked):
            yield ("passages", "blocked", index), box


def _around(place: Point, margin: float) -> tuple[Point, Point]:
    x, y = place
    return (x - margin, y - margin), (x + margin, y + margin)


def _outside(corners: tuple[Point, Point], bound: float) -> bool:
    return not all(abs(number) <= bound for corner in corners for number in corner)


def _plane(world: World) -> str:
    return f"the plane, which ends at ±{world.half_width:g}"


def _named(place: Point) -> str:
    return f"({place[0]:g}, {place[1]:g})"
