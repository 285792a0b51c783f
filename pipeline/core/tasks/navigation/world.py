"""What is written of a world.

The geometry of the paper's worlds was never published. Those of `studies/worlds.yaml`
are our own.
"""

from typing import Annotated, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import Field

from pipeline.core.config.values import Value
from pipeline.core.tasks.geometry import Box, Point, corners

START_BOUND: Final = 0.5
"""Episodes start at most so far from `start`, along each axis."""
START_SCALE: Final = 0.1
"""Standard deviation of where they start, along each axis."""
TARGET_RADIUS: Final = 1.0
"""A target is reached within this distance."""


class Passages(Value):
    """Ways past the walls: open ones, and some that look alike and are closed."""

    open: Annotated[tuple[Box, ...], Field(min_length=1)]
    """Where each leads through; nothing is there."""
    blocked: Annotated[tuple[Box, ...], Field(min_length=1)]
    """What closes each; they are walls."""


class World(Value):
    """The plane [-half_width, half_width]² with what is in it; lengths in units."""

    half_width: Annotated[float, Field(ge=2, le=100)]
    start: Point
    """Where episodes start, but for N(0, 0.1² I), at most 0.5 along each axis."""
    walls: tuple[Box, ...] = ()
    passages: Passages | None = None
    targets: tuple[Point, ...] = ()
    """Each is reached within distance 1."""
    finish_line: float | None = None
    """Its x; what is beyond is past it."""

    @property
    def closed(self) -> tuple[Box, ...]:
        """All that no move may touch."""
        return self.walls + (self.passages.blocked if self.passages else ())

    @property
    def ends(self) -> tuple[Box, ...]:
        """What is around the plane, as walls."""
        inner, outer = self.half_width, self.half_width + 1.0
        return (
            Box(low=(inner, -outer), high=(outer, outer)),
            Box(low=(-outer, -outer), high=(-inner, outer)),
            Box(low=(-inner, inner), high=(inner, outer)),
            Box(low=(-inner, -outer), high=(inner, -inner)),
        )

    @property
    def boxes(self) -> Float[ndarray, "wall 2 2"]:
        """The same as (low corner, high corner)."""
        return corners(self.closed)

    @property
    def thinnest(self) -> float:
        """Thickness of the thinnest wall; ∞ without walls."""
        sides = self.boxes[:, 1] - self.boxes[:, 0]
        return float(sides.min(initial=np.inf))

    def start_of(self, generator: np.random.Generator) -> Float[ndarray, " 2"]:
        """A starting position."""
        drawn = START_SCALE * generator.standard_normal(2)
        return np.array(self.start) + np.clip(drawn, -START_BOUND, START_BOUND)
