"""What is written of a body in a world, and what follows from it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from pydantic import Discriminator, PositiveInt, Tag

from pipeline.core.config.evaluation import Evaluation
from pipeline.core.config.values import Discount
from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.kind import COPIES_AT_ONCE, Kind
from pipeline.core.tasks.navigation import metrics
from pipeline.core.tasks.navigation.bodies import BODIES, Body, BodyName, Point
from pipeline.core.tasks.navigation.rewards import Reward, Speed
from pipeline.core.tasks.navigation.scene import PointScene, Scene
from pipeline.core.tasks.navigation.world import World
from pipeline.core.tasks.trajectories import Trajectories

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

    from pipeline.core.tasks.gymnasium.copy import Copy


def _written(value: Any) -> str | None:
    if isinstance(value, str):
        return "name"
    return "world" if isinstance(value, dict | World) else None


InWorld = Annotated[
    Annotated[str, Tag("name")] | Annotated[World, Tag("world")],
    Discriminator(
        _written,
        custom_error_type="variant",
        custom_error_message="must be the name of one of `worlds`",
    ),
]
"""A world, or in the file the name of one."""


class Navigation(Kind):
    """A body in a world."""

    columns: ClassVar[tuple[str, ...]] = (
        "return",
        "success",
        "multi_goal_score",
        "past_line",
        "target_distance",
        "distance",
        "direction_spread",
        *metrics.LINE_WAYS,
    )
    curves: ClassVar[tuple[str, ...]] = columns
    has_plane: ClassVar[bool] = True

    kind: Literal["navigation"]
    world: InWorld
    body: BodyName
    reward: Reward
    end: Literal["never", "at_target", "past_line", "flipped"]
    horizon: PositiveInt
    discount: Discount
    objective: Literal[
        "return",
        "success",
        "multi_goal_score",
        "past_line",
        "distance",
        "forward_distance",
        "direction_spread",
    ]
    evaluation: Evaluation

    @property
    def place(self) -> World:
        """The world itself."""
        assert isinstance(self.world, World), "whoever reads the file puts it there"
        return self.world

    def within(self, worlds: Mapping[str, World]) -> "Navigation":
        """The same with its world in place of the name; as it is, if there is none."""
        if isinstance(self.world, World) or self.world not in worlds:
            return self
        return self.model_copy(update={"world": worlds[self.world]})

    @property
    def scene(self) -> Scene:
        """Where actions lead and what it is worth."""
        body, said = self.moves, (self.reward, self.end)
        if isinstance(body, Point):
            return PointScene(self.place, body, *said)
        return Scene(self.place, body, *said)

    @property
    def moves(self) -> Body:
        """The body itself."""
        return BODIES[self.body]

    @property
    def is_on_a_line(self) -> bool:
        """Whether only ways along x count: no others are paid, or none are open."""
        paid = isinstance(self.reward, Speed) and self.reward.speed == "either_way"
        return paid or self.moves.on_a_line

    @property
    def time_limit(self) -> int:
        return self.horizon

    @property
    def at_once(self) -> int | None:
        return None if isinstance(self.moves, Point) else COPIES_AT_ONCE

    def environments(self, count: int) -> "VectorEnv":
        from pipeline.core.tasks.navigation.environments import many

        return many(count, self)

    def on_film(self) -> "Copy | None":
        from pipeline.core.tasks.navigation.environments import on_film

        return on_film(self)

    @property
    def spaces(self) -> object:
        return self.body

    @property
    def widths(self) -> tuple[int, int]:
        return self.moves.states, self.moves.actions

    def mistakes(self) -> Iterator[tuple[str, str]]:
        world, step = self.place, BODIES[self.body].step
        paid = isinstance(self.reward, Speed)
        if not world.targets:
            if not paid:
                yield "reward", "pays at targets, and the world has no `targets`"
            if self.end == "at_target":
                yield "end", "is at a target, and the world has no `targets`"
        if world.finish_line is None:
            if isinstance(self.reward, Speed) and self.reward.past_line is not None:
                yield "reward", "pays past a line, and the world has no `finish_line`"
            if self.end == "past_line":
                yield "end", "is past a line, and the world has no `finish_line`"
        if world.thinnest < step:
            yield (
                "body",
                f"makes steps of {step:g} along an axis, and a wall of its world is "
                f"only {world.thinnest:g} thick: make it at least as thick as a step",
            )
        if self.objective not in metrics.defined(world):
            there_are = ", ".join(metrics.defined(world))
            yield "objective", f"has no meaning in this world; it has: {there_are}"
        yield from self._beyond_body()

    def _beyond_body(self) -> Iterator[tuple[str, str]]:
        """What its body cannot do."""
        world, body = self.place, self.moves
        if self.end == "flipped" and not body.can_flip:
            yield (
                "end",
                f"is flipped, and {self.body} cannot flip: write never, at_target or "
                "past_line",
            )
        if not body.on_a_line:
            return
        alone = "moves along x only"
        if world.closed:
            yield "body", f"{alone}: its world must have no walls and no passages"
        for name, places in (("start", [world.start]), ("targets", world.targets)):
            if any(y != 0 for _, y in places):
                yield "body", f"{alone}: the {name} of its world must have y = 0"

    def metrics(
        self, trajectories: Trajectories
    ) -> Mapping[str, Float[ndarray, " member"]]:
        found = metrics.of_world(trajectories, self.place)
        return found | (metrics.along_line(trajectories) if self.is_on_a_line else {})

    def remaining(
        self, positions: Float[ndarray, "environment 2"]
    ) -> dict[str, Float[ndarray, " environment"]]:
        world = self.place
        found = {}
        if world.targets:
            found["closest"] = distances(positions, np.array(world.targets)).min(
                axis=-1
            )
        if world.finish_line is not None:
            found["to_line"] = world.finish_line - positions[:, 0]
        return found

    def succeeded(self, trajectories: Trajectories) -> Bool[ndarray, "member episode"]:
        """Whether it comes to a target, or else ends past the finish line."""
        return metrics.succeeded(trajectories, self.place)

    @property
    def ways(self) -> tuple[str, ...]:
        world = self.place
        if world.passages is not None:
            return metrics.passages(world)
        if len(world.targets) > 1:
            return tuple(f"goal_{goal}" for goal in range(len(world.targets)))
        if world.finish_line is not None:
            return ("past_line",)
        return metrics.LINE_WAYS if self.is_on_a_line else ()

    def of_failed(self, metric: str) -> float:
        if metric in metrics.NOTHING_AT_ZERO or metric.startswith(("goal", "passage_")):
            return 0.0
        return super().of_failed("return" if metric == "forward_distance" else metric)
