"""What is written of a point in the plane with several goals, and what follows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from pydantic import Field, PositiveInt, Tag, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from pipeline.core.config.evaluation import Evaluation
from pipeline.core.config.values import Discount, Positive, Value, either
from pipeline.core.tasks.geometry import Box
from pipeline.core.tasks.kind import Kind
from pipeline.core.tasks.trajectories import Trajectories

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


ARENA_BOUND: Final = 7.0
"""The plane of `MultiGoal` is [-7, 7]² (in units of the largest action)."""
START_BOUND: Final = 0.5
"""Episodes of `MultiGoal` start in [-0.5, 0.5]²."""

Coordinate = Annotated[float, Field(ge=-ARENA_BOUND, le=ARENA_BOUND)]
Point = tuple[Coordinate, Coordinate]


class Wall(Box):
    """A wall of a changed task."""

    low: Point
    high: Point


class Push(Value):
    """A displacement in a random direction, once in every episode."""

    step: PositiveInt
    """The environment step, counted from 1, whose move it follows."""
    distance: Positive


class MultiGoal(Kind):
    """A point in the plane and goals that are equally good."""

    columns: ClassVar[tuple[str, ...]] = (
        "multi_goal_score",
        "goals_reached",
        "goal_entropy",
        "return",
    )
    curves: ClassVar[tuple[str, ...]] = (*columns, "success")
    has_plane: ClassVar[bool] = True
    is_composable: ClassVar[bool] = True
    can_change: ClassVar[bool] = True

    kind: Literal["multigoal"]
    horizon: PositiveInt
    discount: Discount
    goals: Annotated[tuple[Point, ...], Field(min_length=1)]
    goals_end_episode: bool
    walls: tuple[Wall, ...] = ()
    push: Push | None = None
    objective: Literal["multi_goal_score", "goals_reached", "goal_entropy", "return"]
    evaluation: Evaluation

    @field_validator("goals")
    @classmethod
    def _distinct(cls, goals: tuple[Point, ...]) -> tuple[Point, ...]:
        if len(set(goals)) < len(goals):
            raise PydanticCustomError("goals", "must be different places")
        return goals

    @field_validator("walls")
    @classmethod
    def _clear(cls, walls: tuple[Wall, ...], info: Any) -> tuple[Wall, ...]:
        start = (-START_BOUND, -START_BOUND), (START_BOUND, START_BOUND)
        for wall in walls:
            if wall.meets(*start):
                raise PydanticCustomError(
                    "walls", "must leave [-0.5, 0.5]² free, where episodes start"
                )
            for goal in info.data.get("goals", ()):
                if wall.meets(goal, goal):
                    raise PydanticCustomError(
                        "walls",
                        "must leave the goals free, also ({x}, {y})",
                        {"x": f"{goal[0]:g}", "y": f"{goal[1]:g}"},
                    )
        return walls

    @property
    def time_limit(self) -> int:
        return self.horizon

    def environments(self, count: int) -> "VectorEnv":
        from pipeline.core.tasks.multigoal.arena import Arena
        from pipeline.core.tasks.multigoal.environments import MultiGoalVectorEnv

        return MultiGoalVectorEnv(count, self.horizon, Arena.of(self))

    @property
    def spaces(self) -> object:
        return self.kind

    @property
    def widths(self) -> tuple[int, int]:
        return 2, 2

    def metrics(
        self, trajectories: Trajectories
    ) -> dict[str, Float[ndarray, " member"]]:
        from pipeline.core.tasks.multigoal.metrics import of_goals

        return of_goals(trajectories, self.goals)

    def succeeded(self, trajectories: Trajectories) -> Bool[ndarray, "member episode"]:
        """Whether it ends in a goal."""
        from pipeline.core.tasks.multigoal.metrics import in_a_goal

        return in_a_goal(trajectories, self.goals)

    def milestones(
        self,
        steps: Float[ndarray, " evaluation"],
        measured: Mapping[str, Float[ndarray, "evaluation member"]],
        *,
        after: int,
    ) -> dict[str, list[float]]:
        from pipeline.core.tasks.multigoal.metrics import steps_to_all_goals

        reached = measured["goals_reached"]
        first = steps_to_all_goals(steps, reached, goals=len(self.goals), after=after)
        return {"steps_to_all_goals": first}

    def of_failed(self, metric: str) -> float:
        achieved = metric.startswith(("multi_goal", "goal", "success"))
        return 0.0 if achieved else super().of_failed(metric)

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(f"goal_{goal}" for goal in range(len(self.goals)))

    @property
    def probes(self) -> Float[ndarray, "probe 2"]:
        """Positions in the plane, as in the paper; its code has (-2.5, 0) first."""
        return np.array([(-2.0, 0.0), (0.0, 0.0), (2.5, 2.5)], np.float32)

    def changed(self, change: Value) -> "MultiGoal | None":
        """As `Kind.changed`, by one of `Perturbation`.

        A goal that is left must be one of the task's, and a wall off goals and starts.
        """
        if isinstance(change, OtherGoals) and not set(change.goals) <= set(self.goals):
            return None
        try:
            data = self.model_dump(mode="json") | change.model_dump(mode="json")
            return MultiGoal.model_validate(data, strict=False)
        except ValidationError:
            return None


class OtherGoals(Value):
    """At test time there are these goals only."""

    goals: Annotated[tuple[Point, ...], Field(min_length=1)]


class OtherWalls(Value):
    """At test time there are walls."""

    walls: Annotated[tuple[Wall, ...], Field(min_length=1)]


class Pushed(Value):
    """At test time the state is displaced."""

    push: Push


Perturbation = Annotated[
    Annotated[OtherGoals, Tag("goals")]
    | Annotated[OtherWalls, Tag("walls")]
    | Annotated[Pushed, Tag("push")],
    either("goals", "walls", "push"),
]
"""How a task is not quite the one that was learned."""
