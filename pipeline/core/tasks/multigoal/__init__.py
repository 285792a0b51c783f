"""A point in the plane and goals that are equally good."""

import gymnasium

NAME = "maxent/MultiGoal-v0"
"""Gymnasium's name."""

gymnasium.register(
    NAME,
    entry_point="pipeline.core.tasks.multigoal.environments:MultiGoalEnv",
    vector_entry_point="pipeline.core.tasks.multigoal.environments:MultiGoalVectorEnv",
    max_episode_steps=30,
)
