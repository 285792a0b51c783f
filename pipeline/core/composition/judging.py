"""How a composed policy does in the combined task."""

from collections.abc import Sequence

import numpy as np

from pipeline.core.agents.base import Agent
from pipeline.core.judging.evaluation import APART, SHOWN_EPISODES, Evaluator, Judged
from pipeline.core.tasks.multigoal.combination import (
    SCALES,
    Rule,
    combined_arena,
    rarest_shared_goal,
)
from pipeline.core.tasks.multigoal.settings import MultiGoal


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
    through in one and in the other, and their returns are combined. The agent may be
    composed, or a part; the first task's `evaluation.policy` says how actions are
    chosen.

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
