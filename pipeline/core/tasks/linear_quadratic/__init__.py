"""Linear systems with quadratic costs."""

import gymnasium

NAME = "maxent/LinearQuadratic-v0"
"""Gymnasium's name; to be made with a `system`."""

gymnasium.register(
    NAME,
    entry_point="pipeline.core.tasks.linear_quadratic.environments:LinearQuadraticEnv",
    vector_entry_point=(
        "pipeline.core.tasks.linear_quadratic.environments:LinearQuadraticVectorEnv"
    ),
    max_episode_steps=30,
)
