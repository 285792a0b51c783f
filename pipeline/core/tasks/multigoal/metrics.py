"""Which goals a policy finds, how evenly and how early."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.multigoal.arena import GOAL_RADIUS
from pipeline.core.tasks.multigoal.settings import Point
from pipeline.core.tasks.trajectories import TINY, Trajectories

REACHED_SHARE = 0.05
"""Of the episodes that must end in a goal for the goal to count as reached."""


def of_goals(
    trajectories: Trajectories, places: Sequence[Point]
) -> dict[str, Float[ndarray, " member"]]:
    """What `docs/metrics.md` defines of goals at these places, per member."""
    distance = distances(trajectories.last_positions, np.array(places))
    nearest = distance.argmin(axis=-1)
    goals = np.arange(len(places))
    reached = (distance.min(axis=-1) < GOAL_RADIUS)[..., None] & (
        nearest[..., None] == goals
    )
    frequency = reached.mean(axis=1)  # [member, goal]
    success = frequency.sum(axis=1)
    share = frequency / np.maximum(success, TINY)[:, None]
    log_share = np.log(share, where=share > 0, out=np.zeros_like(share))
    named = {f"goal_{goal}": frequency[:, goal] for goal in goals}
    return named | {
        "multi_goal_score": np.minimum(frequency, 1 / len(goals)).sum(axis=1),
        "goals_reached": (frequency >= REACHED_SHARE).sum(axis=1).astype(float),
        "goal_entropy": -(share * log_share).sum(axis=1),
        "success": success,
    }


def in_a_goal(
    trajectories: Trajectories, places: Sequence[Point]
) -> Bool[ndarray, "member episode"]:
    """Whether each episode ends within the radius of a goal."""
    distance = distances(trajectories.last_positions, np.array(places))
    return np.asarray(distance.min(axis=-1) < GOAL_RADIUS)


def steps_to_all_goals(
    steps: Float[ndarray, " evaluation"],
    reached: Float[ndarray, "evaluation member"],
    *,
    goals: int,
    after: int,
) -> list[float]:
    """The first evaluation in which each member reached every goal, in its steps.

    `reached` counts the goals of each evaluation. What fresh policies do by chance in
    the steps without learning, up to `after`, does not count. NaN where it never
    happened.
    """
    arrived = (reached == goals) & (steps > after)[:, None]
    first = steps[arrived.argmax(axis=0)]
    return list(np.where(arrived.any(axis=0), first, np.nan).tolist())
