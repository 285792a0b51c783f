"""Where the episodes of a task with goals end."""

import numpy as np

from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.statistics.bootstrap import Floats
from pipeline.study.store.runs import Run


def goals_of(run: Run) -> MultiGoal:
    """The task of a run, which must have goals."""
    assert isinstance(run.task, MultiGoal), f"{run.id} is on a task without goals"
    return run.task


def goal_frequencies(run: Run) -> Floats:
    """Share of final episodes that end in each goal: `[goal, seed]`."""
    goals = range(len(goals_of(run).goals))
    return np.array([run.final[f"goal_{goal}"] for goal in goals])


def nearest_goal_shares(run: Run) -> Floats:
    """Share of kept episodes that end at the goal nearest to their start, per seed."""
    positions = run.behaviour()["positions"]  # NaN after the end
    steps = np.isfinite(positions[..., 0]).sum(axis=2) - 1
    last = np.take_along_axis(positions, steps[:, :, None, None], axis=2)[:, :, 0]
    places = np.array(goals_of(run).goals)
    first, reached = (
        distances(place, places).argmin(axis=-1) for place in (positions[:, :, 0], last)
    )
    return np.asarray((first == reached).mean(axis=1))
