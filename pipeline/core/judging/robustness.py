"""What trained policies do when the task is not quite the one they learned.

The task changes at test time only: goals are gone, walls stand in the way, the state is
pushed. Nothing is learned. A policy that knows several ways may fail on one and succeed
on another, so that it is also asked how often a start succeeds within some attempts.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.core.agents.base import Agent
from pipeline.core.judging.evaluation import APART, SHOWN_EPISODES, Evaluator, Judged
from pipeline.core.tasks.kind import Kind


def robustness(
    agent: Agent, task: Kind, seeds: Sequence[int], *, episodes: int, attempts: int
) -> Judged:
    """Let every member act in a task that may differ from the one it learned.

    There are `attempts` episodes from each start, and `episodes` starts of each member.
    Positions are those of first attempts.

    Returns:
        `success`: share of all episodes that do what `task` asks; `success_of_any`:
        share of starts from which at least one attempt does; `return`: mean over all
        episodes of the undiscounted sum of rewards, in reward units; `episode_length`:
        mean, in environment steps.

    Raises:
        ValueError: There is nothing to do.
    """
    if episodes < 1 or attempts < 1:
        raise ValueError(
            f"episodes and attempts must be at least 1, found {episodes} and {attempts}"
        )
    evaluator = Evaluator(task, seeds, episodes=episodes * attempts, attempts=attempts)
    found = evaluator(agent, block=APART)
    success = task.succeeded(found)
    each_start = success.reshape(len(seeds), episodes, attempts)
    numbers = {
        "success": success.mean(axis=1),
        "success_of_any": each_start.any(axis=2).mean(axis=1),
        "return": found.returns.mean(axis=1),
        "episode_length": found.lengths.mean(axis=1),
    }
    assert found.positions is not None
    shown = found.positions[:, ::attempts][:, :SHOWN_EPISODES]
    return Judged(numbers, shown.astype(np.float32))
