"""Boxes and distances in the plane."""

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
    """
    way = (stop - start)[..., None, :]
    below, above = (boxes[:, side] - start[..., None, :] for side in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        enters = np.where(way > 0, below, above) / way
        leaves = np.where(way > 0, above, below) / way
    # A segment at rest along an axis is between the sides always or never.
    never = (below > 0) | (above < 0)
    enters = np.where(way == 0, np.where(never, np.inf, -np.inf), enters).max(axis=-1)
    leaves = np.where(way == 0, np.where(never, -np.inf, np.inf), leaves).min(axis=-1)
    meets = np.maximum(enters, 0.0) <= np.minimum(leaves, 1.0)
    return np.asarray(meets.any(axis=-1))
