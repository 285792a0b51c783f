"""The task that two tasks with the same dynamics are together, and how it is judged."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import TypeAdapter

from pipeline.core.agents import Agent
from pipeline.core.config import Algorithm, MultiGoal, Sql, Task
from pipeline.core.evaluation import APART, SHOWN_EPISODES, Evaluator
from pipeline.core.tasks.multigoal import GOAL_RADIUS, Arena, goal_distances

Rule: TypeAlias = Literal["average", "sum"]
SCALES: Final[dict[Rule, float]] = {"average": 0.5, "sum": 1.0}
"""What the sum of the two is multiplied by, rewards and Q-functions alike."""


class MisfitError(ValueError):
    """Two populations or tasks that cannot be composed."""


def shared_settings(descriptions: Sequence[dict[str, Any]]) -> list[Sql]:
    """Settings of the first of two populations, if the second fits it.

    Args:
        descriptions: What the files of weights say about them.

    Raises:
        MisfitError: One does not learn a soft Q-function; or their seeds, temperatures
            or hidden layers differ.
    """
    both: list[list[Sql]] = []
    for description in descriptions:
        text = json.dumps(description["algorithms"])
        found = TypeAdapter(list[Algorithm]).validate_json(text)
        own = [each for each in found if isinstance(each, Sql)]
        if len(own) < len(found):
            raise MisfitError(
                "only populations of soft Q-learning can be composed, found "
                f"{found[0].kind}"
            )
        both.append(own)
    for name, (one, other) in {
        "seeds": [description["seeds"] for description in descriptions],
        "temperatures": [[c.temperature.fixed for c in own] for own in both],
        "hidden layers": [list(own[0].hidden) for own in both],
    }.items():
        if one != other:
            raise MisfitError(
                f"populations with different {name} cannot be composed, found {one} "
                f"and {other}"
            )
    return both[0]


def described_arena(descriptions: Sequence[dict[str, Any]], rule: Rule) -> Arena:
    """As `combined_arena`, of the tasks that two populations were trained on."""
    adapter = TypeAdapter[Task](Task)
    first, second = (
        adapter.validate_json(json.dumps(description["task"]))
        for description in descriptions
    )
    return combined_arena(first, second, rule)


@dataclass(frozen=True)
class Judged:
    """How every member did in the combined task."""

    numbers: dict[str, Float[ndarray, " member"]]
    """Metric to one number per member; see `docs/metrics.md`."""
    positions: Float[ndarray, "member episode time 2"]


def combined_arena(first: Task, second: Task, rule: Rule) -> Arena:
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


def judge(
    agent: Agent,
    first: MultiGoal,
    second: MultiGoal,
    seeds: Sequence[int],
    *,
    rule: Rule,
    episodes: int,
) -> Judged:
    """Let every member act in the combined task.

    Dynamics, starts and noise are the same in both tasks, so that each episode is lived
    through in one and in the other, and their returns are combined.

    Args:
        agent: Any population: composed, or a part.
        first: One task; its `evaluation.policy` says how actions are chosen.
        second: The other.
        seeds: One per member.
        rule: How the rewards are combined.
        episodes: Of each member.

    Returns:
        `success`: share of episodes whose last position is within the radius of a goal
        of both tasks; `success_first`, `success_second`: of one task;
        `rarest_shared_goal`, as the function of that name; `return`: mean of the
        undiscounted sum of combined rewards, in reward units.

    Raises:
        MisfitError: The tasks cannot be combined.
    """
    arena = combined_arena(first, second, rule)
    alike = second.model_copy(update={"evaluation": first.evaluation})
    lived = [
        Evaluator(task, seeds, episodes=episodes)(agent, block=APART)
        for task in (first, alike)
    ]
    inside = arena.inside(lived[0].last_positions)  # [objective, member, episode]
    returns = SCALES[rule] * sum(found.returns for found in lived)
    numbers = {
        "success": inside.all(axis=0).mean(axis=1),
        "success_first": inside[0].mean(axis=1),
        "success_second": inside[1].mean(axis=1),
        "rarest_shared_goal": rarest_shared_goal(arena, lived[0].last_positions),
        "return": np.asarray(returns).mean(axis=1),
    }
    assert lived[0].positions is not None
    shown = lived[0].positions[:, :SHOWN_EPISODES]
    return Judged(numbers, shown.astype(np.float32))


def rarest_shared_goal(
    arena: Arena, last: Float[ndarray, "*member episode 2"]
) -> Float[ndarray, "*member"]:
    """Whether a policy keeps every way open that both tasks reward alike.

    Args:
        arena: The combined task.
        last: Where episodes end.

    Returns:
        The least, over goals that both tasks have, of the shares of episodes that end
        within the goal's radius: 1/k for k equally good goals, 0 for a policy that has
        lost one; NaN if the tasks have no goal in common.
    """
    first, second = (set(map(tuple, goals.tolist())) for goals in arena.objectives)
    shared = np.array(sorted(first & second)).reshape(-1, 1, 2)
    if not len(shared):
        return np.full(last.shape[:-2], np.nan)
    shares = [
        (goal_distances(last, goal)[..., 0] < GOAL_RADIUS).mean(axis=-1)
        for goal in shared
    ]
    return np.asarray(np.min(shares, axis=0))
