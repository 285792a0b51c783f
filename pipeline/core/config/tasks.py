"""What a task is made of."""

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, PositiveInt, field_validator
from pydantic_core import PydanticCustomError

from pipeline.core.config.values import (
    Discount,
    Matrix,
    NonNegative,
    Positive,
    Value,
)


class Evaluation(Value):
    """How a policy is judged, apart from the steps it learns from."""

    every: PositiveInt
    """Environment steps of training between two evaluations."""
    episodes: PositiveInt
    """Episodes of each evaluation during training."""
    final_episodes: PositiveInt
    """Episodes of the evaluation after the last step."""
    policy: Literal["sample", "greedy"]
    """Whether actions are drawn from the policy or are its best guess."""


ARENA_BOUND: Final = 7.0
"""The plane of `MultiGoal` is [-7, 7]² (in units of the largest action)."""
START_BOUND: Final = 0.5
"""Episodes of `MultiGoal` start in [-0.5, 0.5]²."""

Coordinate = Annotated[float, Field(ge=-ARENA_BOUND, le=ARENA_BOUND)]
Point = tuple[Coordinate, Coordinate]


class Wall(Value):
    """A closed box that no move may touch."""

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
        """Whether the wall and another closed box have a point in common."""
        return all(
            own_low <= other_high and other_low <= own_high
            for own_low, own_high, other_low, other_high in zip(
                self.low, self.high, low, high, strict=True
            )
        )


class Push(Value):
    """A displacement in a random direction, once in every episode."""

    step: PositiveInt
    """The environment step, counted from 1, whose move it follows."""
    distance: Positive


class MultiGoal(Value):
    """A point in the plane and goals that are equally good."""

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


class Locomotion(Value):
    """A MuJoCo body rewarded for the motion of its centre of mass."""

    kind: Literal["locomotion"]
    body: Literal["swimmer"]
    reward: Literal["speed", "forward"]
    """`speed`: in any direction of the plane; `forward`: along x."""
    horizon: PositiveInt
    discount: Discount
    objective: Literal["return", "distance", "forward_distance", "direction_spread"]
    evaluation: Evaluation


class LinearQuadratic(Value):
    """A linear system s' = A s + B a + w with the reward -(s' Q s + a' R a).

    The action a is `bound` times what the policy does in [-1, 1]^d. Nothing ends an
    episode but its horizon.
    """

    kind: Literal["linear_quadratic"]
    dynamics: Matrix
    """A [state, state]."""
    control: Matrix
    """B [state, action]."""
    state_cost: Matrix
    """Q [state, state], symmetric and positive semi-definite."""
    action_cost: Matrix
    """R [action, action], symmetric and positive definite."""
    noise: NonNegative
    """Standard deviation of every coordinate of w ~ N(0, noise² I)."""
    start: NonNegative
    """Standard deviation of every coordinate of the first state."""
    bound: Positive
    """Half-width of the box of actions a."""
    horizon: PositiveInt
    discount: Discount
    objective: Literal["return"]
    evaluation: Evaluation


class Gymnasium(Value):
    """Any environment that Gymnasium knows, with box observations and actions."""

    kind: Literal["gymnasium"]
    id: str
    horizon: PositiveInt | None = None
    """Without it, the limit that the environment was registered with."""
    discount: Discount
    objective: Literal["return"]
    evaluation: Evaluation


Task = Annotated[
    MultiGoal | Locomotion | LinearQuadratic | Gymnasium, Discriminator("kind")
]
