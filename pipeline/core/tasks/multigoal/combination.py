"""The task that two tasks with the same dynamics are together."""

from typing import Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.kind import Kind
from pipeline.core.tasks.multigoal.arena import GOAL_RADIUS, Arena
from pipeline.core.tasks.multigoal.settings import MultiGoal

Rule: TypeAlias = Literal["average", "sum"]
SCALES: Final[dict[Rule, float]] = {"average": 0.5, "sum": 1.0}
"""What the sum of the two is multiplied by, rewards and Q-functions alike."""


class MisfitError(ValueError):
    """Two populations or tasks that cannot be composed."""


def combined_arena(first: Kind, second: Kind, rule: Rule) -> Arena:
    """The plane with the average or the sum of two tasks' rewards.

    Raises:
        MisfitError: The tasks have no plane, other dynamics, or episodes that end: a
            sum of values is not defined where one task has ended and the other has not.
    """
    if not (isinstance(first, MultiGoal) and isinstance(second, MultiGoal)):
        kinds = f"{first.kind} and {second.kind}"
        raise MisfitError(f"only multigoal tasks can be combined, found {kinds}")
    if first.goals_end_episode or second.goals_end_episode:
        raise MisfitError(
            "a sum of values is not defined across an end: both tasks need "
            "goals_end_episode: false"
        )
    for field in ("horizon", "discount", "walls", "push"):
        found = getattr(first, field), getattr(second, field)
        if found[0] != found[1]:
            raise MisfitError(
                f"both tasks need the same {field}, found {found[0]} and {found[1]}"
            )
    one, other = Arena.of(first), Arena.of(second)
    return Arena(
        objectives=one.objectives + other.objectives,
        scale=SCALES[rule],
        walls=one.walls,
        goals_end_episode=False,
        push=one.push,
    )


def rarest_shared_goal(
    arena: Arena, last: Float[ndarray, "*member episode 2"]
) -> Float[ndarray, "*member"]:
    """Whether a policy keeps every way open that both tasks reward alike.

    The least, over goals that both tasks have, of the shares of episodes that end
    within the goal's radius: 1/k for k equally good goals, 0 for a policy that has lost
    one; NaN if the tasks have no goal in common.
    """
    first, second = (set(map(tuple, goals.tolist())) for goals in arena.objectives)
    shared = np.array(sorted(first & second)).reshape(-1, 1, 2)
    if not len(shared):
        return np.full(last.shape[:-2], np.nan)
    shares = [
        (distances(last, goal)[..., 0] < GOAL_RADIUS).mean(axis=-1) for goal in shared
    ]
    return np.asarray(np.min(shares, axis=0))
