"""What a step in a world is worth: settings and their meaning, in reward units.

Every reward is less `effort` · ‖a‖². Lengths are in units; speeds are shares of the
longest step that a point can make along an axis, and m/s of a body of MuJoCo.
"""

from typing import Annotated, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from pydantic import Tag

from pipeline.core.config.values import NonNegative, Positive, Value, either
from pipeline.core.tasks.geometry import distances, squared
from pipeline.core.tasks.navigation.world import TARGET_RADIUS, World


class Speed(Value):
    """The speed of a step, and more for every one that ends past the finish line."""

    speed: Literal["any", "either_way", "forward"]
    """`any`: ‖Δx‖, in whatever direction (the pretraining task of Haarnoja et al. 2017,
    section 5.3); `either_way`: |Δx₁|, along the x axis (section 5.2, the swimmer);
    `forward`: Δx₁."""
    past_line: Positive | None = None
    effort: NonNegative

    def of_move(self, moved: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch"]:
        """What it is worth to have moved, in units of the longest step."""
        match self.speed:
            case "any":
                return np.asarray(np.sqrt(squared(moved)))
            case "either_way":
                return np.asarray(np.abs(moved[..., 0]))
            case "forward":
                return np.asarray(moved[..., 0])

    def of_place(
        self, place: Float[ndarray, "*batch 2"], world: World
    ) -> Float[ndarray, "*batch"]:
        """What it is worth to have come to a place."""
        if self.past_line is None:
            return np.zeros(place.shape[:-1])
        return np.asarray(self.past_line * past_line(place, world))


class Height(Value):
    """A Gaussian of the distance to a target: height · exp(-d² / (2 width²))."""

    height: Positive
    width: Positive


class Bump(Value):
    """A Gaussian at every target, summed (Haarnoja et al. 2017, the mazes)."""

    bump: Height
    effort: NonNegative

    def of_place(
        self, place: Float[ndarray, "*batch 2"], world: World
    ) -> Float[ndarray, "*batch"]:
        """What it is worth to have come to a place."""
        distance = distances(place, np.array(world.targets))
        bumps = np.exp(-np.square(distance / self.bump.width) / 2)
        return np.asarray(self.bump.height * bumps.sum(axis=-1))


class GoalBonus(Value):
    """A bonus at a target, and a cost of every step."""

    bonus: Positive
    step_cost: NonNegative


class Goals(Value):
    """A bonus for every step that ends at a target, and a cost of all of them."""

    goals: GoalBonus
    effort: NonNegative

    def of_place(
        self, place: Float[ndarray, "*batch 2"], world: World
    ) -> Float[ndarray, "*batch"]:
        """What it is worth to have come to a place."""
        paid = self.goals.bonus * at_target(place, world) - self.goals.step_cost
        return np.asarray(paid)


Reward: TypeAlias = Annotated[
    Annotated[Speed, Tag("speed")]
    | Annotated[Bump, Tag("bump")]
    | Annotated[Goals, Tag("goals")],
    either("speed", "bump", "goals"),
]


def at_target(
    place: Float[ndarray, "*batch 2"], world: World
) -> Bool[ndarray, "*batch"]:
    """Whether places are within the radius of a target."""
    nearest = distances(place, np.array(world.targets)).min(axis=-1)
    return np.asarray(nearest < TARGET_RADIUS)


def past_line(
    place: Float[ndarray, "*batch 2"], world: World
) -> Bool[ndarray, "*batch"]:
    """Whether places are past the finish line."""
    assert world.finish_line is not None
    return np.asarray(place[..., 0] >= world.finish_line)
