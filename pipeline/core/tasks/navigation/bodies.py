"""What moves in a world: points, many of them at once, and bodies of MuJoCo.

A move of a point whose straight way meets a wall is not made.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.tasks.geometry import crosses, squared
from pipeline.core.tasks.navigation.world import World

UNIT: Final = 4.0
"""Of length, in which the position of a body that can move fast is observed."""


class Point(ABC):
    """A body that takes no space. The first two numbers of its state are its place."""

    actions: ClassVar[int] = 2
    """Width of an action."""
    radius: ClassVar[float] = 0.0
    """Of the space that it takes, in units of length."""
    can_flip: ClassVar[bool] = False
    on_a_line: ClassVar[bool] = False
    """Whether it can only move along x."""
    states: ClassVar[int]
    """Width of a state, and of what is observed of it."""
    step: ClassVar[float]
    """The longest step along an axis, in units of length."""

    @abstractmethod
    def advance(
        self,
        state: Float[ndarray, "*#batch state"],
        action: Float[ndarray, "*#batch 2"],
        world: World,
    ) -> Float[ndarray, "... state"]:
        """The state after a step; actions are in [-1, 1]²."""

    @abstractmethod
    def at(
        self, position: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch state"]:
        """The state of a body at rest."""

    @abstractmethod
    def observed(
        self, state: Float[ndarray, "*batch state"]
    ) -> Float[ndarray, "*batch state"]:
        """What a policy sees of it."""

    @abstractmethod
    def bounds(self, world: World) -> Float[ndarray, " state"]:
        """Of what it sees, on either side of 0."""


class DisplacedPoint(Point):
    """A point that is displaced, as in the multigoal task: x' = clip(x + a).

    Observation: x.
    """

    states = 2
    step = 1.0

    def advance(
        self,
        state: Float[ndarray, "*#batch 2"],
        action: Float[ndarray, "*#batch 2"],
        world: World,
    ) -> Float[ndarray, "... 2"]:
        return moved(state, state + action, world)

    def at(self, position: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch 2"]:
        return position

    def observed(self, state: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch 2"]:
        return state

    def bounds(self, world: World) -> Float[ndarray, " 2"]:
        return np.full(2, world.half_width)


class PointWithMomentum(Point):
    """A point that is accelerated: v' = 0.9 v + 0.1 a / max(1, ‖a‖), x' = x + 0.25 v'.

    So ‖v‖ <= 1. A wall or the end of the plane stops it: v' = 0 and x' = x.
    Observation: (x / 4, v).
    """

    states = 4
    step = 0.25
    KEPT: Final = 0.9
    """Share of its velocity that a body keeps in a step."""

    @classmethod
    def velocity(
        cls, velocity: Float[ndarray, "*#batch 2"], action: Float[ndarray, "*#batch 2"]
    ) -> Float[ndarray, "... 2"]:
        """The velocity after a step in which nothing is in the way."""
        length = np.sqrt(squared(action))[..., None]
        pushed = action / np.maximum(length, 1.0)
        return np.asarray(cls.KEPT * velocity + (1 - cls.KEPT) * pushed)

    def advance(
        self,
        state: Float[ndarray, "*#batch 4"],
        action: Float[ndarray, "*#batch 2"],
        world: World,
    ) -> Float[ndarray, "... 4"]:
        position, velocity = state[..., :2], self.velocity(state[..., 2:], action)
        aim = position + self.step * velocity
        there = moved(position, aim, world)
        stopped = (there != aim).any(axis=-1, keepdims=True)
        after = np.concatenate([there, velocity], axis=-1)
        return np.where(stopped, self.at(position), after)

    def at(self, position: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch 4"]:
        return np.concatenate([position, np.zeros_like(position)], axis=-1)

    def observed(self, state: Float[ndarray, "*batch 4"]) -> Float[ndarray, "*batch 4"]:
        scale = np.array([UNIT, UNIT, 1.0, 1.0])
        return np.asarray(state / scale)

    def bounds(self, world: World) -> Float[ndarray, " 4"]:
        reach = world.half_width / UNIT
        return np.array([reach, reach, 1.0, 1.0])


@dataclass(frozen=True)
class MujocoBody:
    """A body of Gymnasium's (v5), in metres; its place is its centre of mass.

    Observation: the joints' positions and velocities as MuJoCo has them (`qpos`,
    `qvel`), the first of them, where the body is in the plane, in units of 4 m.
    """

    states: int
    actions: int
    step: float
    """Seconds of an environment step: metres that a speed of 1 m/s makes of it."""
    radius: float
    """From its centre of mass to its farthest point, as it starts, rounded up."""
    width: float
    """Of the narrowest corridor that it fits into, its joints at their limits."""
    can_flip: bool
    on_a_line: bool


BodyName: TypeAlias = Literal[
    "point", "point_with_momentum", "swimmer", "half_cheetah", "ant"
]
Body: TypeAlias = Point | MujocoBody

BODIES: Final[dict[BodyName, Body]] = {
    "point": DisplacedPoint(),
    "point_with_momentum": PointWithMomentum(),
    "swimmer": MujocoBody(
        states=10,
        actions=2,
        step=0.04,
        radius=1.7,
        width=0.2,
        can_flip=False,
        on_a_line=False,
    ),
    "half_cheetah": MujocoBody(
        states=18,
        actions=6,
        step=0.05,
        radius=1.0,
        width=0.1,
        can_flip=True,
        on_a_line=True,
    ),
    "ant": MujocoBody(
        states=29,
        actions=8,
        step=0.05,
        radius=1.3,
        width=0.8,
        can_flip=True,
        on_a_line=False,
    ),
}


def moved(
    position: Float[ndarray, "*#batch 2"],
    aim: Float[ndarray, "*#batch 2"],
    world: World,
) -> Float[ndarray, "... 2"]:
    """Where a straight move leads: into the plane, and nowhere if a wall is met."""
    after = np.clip(aim, -world.half_width, world.half_width)
    boxes = world.boxes
    if not len(boxes):
        return np.asarray(after)
    stopped = crosses(position, after, boxes)
    return np.where(stopped[..., None], position, after)
