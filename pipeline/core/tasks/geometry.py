"""Boxes and distances in the plane."""

from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from pipeline.core.config.values import Value

Point: TypeAlias = tuple[float, float]


class Box(Value):
    """A closed box; as a wall, one that no move may touch."""

    low: Point
    """Its corner with the smaller coordinates."""
    high: Point

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: Point, info: Any) -> Point:
        low = info.data.get("low")
        if low is not None and not (low[0] < high[0] and low[1] < high[1]):
            raise PydanticCustomError(
                "wall", "must be greater than `low` in both coordinates"
            )
        return high

    def meets(self, low: Point, high: Point) -> bool:
        """Whether it and another closed box have a point in common."""
        return all(
            own_low <= other_high and other_low <= own_high
            for own_low, own_high, other_low, other_high in zip(
                self.low, self.high, low, high, strict=True
            )
        )


def corners(boxes: "tuple[Box, ...]") -> Float[ndarray, "box 2 2"]:
    """(low corner, high corner) of each box."""
    each = [(box.low, box.high) for box in boxes]
    return np.array(each, dtype=np.float64).reshape(-1, 2, 2)


def distances(
    position: Float[ndarray, "*batch 2"], places: Float[ndarray, "place 2"]
) -> Float[ndarray, "*batch place"]:
    """Distance to every place.

    The axis of places is last for the caller and first in memory: loops over two or
    four numbers take many times as long as those over many places.
    """
    each = places.reshape(len(places), *(1,) * (position.ndim - 1), 2)
    return np.moveaxis(np.sqrt(squared(position - each)), 0, -1)


def nearest(
    position: Float[ndarray, "*batch 2"], places: Float[ndarray, "place 2"]
) -> Float[ndarray, "*batch"]:
    """Distance to the nearest place, one place after another: for a core's cache."""
    x, y = position[..., 0], position[..., 1]
    each = (np.square(x - there[0]) + np.square(y - there[1]) for there in places)
    return np.asarray(np.sqrt(reduce(np.minimum, each)))


def squared(vector: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch"]:
    """‖v‖²."""
    x, y = vector[..., 0], vector[..., 1]
    return np.asarray(x * x + y * y)


def crosses(
    start: Float[ndarray, "*#batch 2"],
    stop: Float[ndarray, "*#batch 2"],
    boxes: Float[ndarray, "box 2 2"],
) -> Bool[ndarray, "..."]:
    """Whether the segment between two points meets any of some closed boxes.

    Slab method: along each axis the segment is between the two sides of a box for an
    interval of its length; it meets the box where these intervals have a common part.
    The axis of boxes is first in memory, as in `distances`.
    """
    batch = np.broadcast_shapes(start.shape, stop.shape)[:-1]
    sides = boxes.reshape(len(boxes), 2, 2, *(1,) * len(batch))
    enters, leaves = np.zeros(()), np.ones(())
    for axis in (0, 1):
        way = stop[..., axis] - start[..., axis]
        below, above = (sides[:, side, axis] - start[..., axis] for side in (0, 1))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            meets_low, meets_high = below / way, above / way
        first = np.minimum(meets_low, meets_high)
        last = np.maximum(meets_low, meets_high)
        if (resting := way == 0).any():  # it is between the sides always or never
            inside = (below <= 0) & (above >= 0)
            first = np.where(resting, np.where(inside, -np.inf, np.inf), first)
            last = np.where(resting, np.where(inside, np.inf, -np.inf), last)
        enters, leaves = np.maximum(enters, first), np.minimum(leaves, last)
    return np.asarray((enters <= leaves).any(axis=0))
