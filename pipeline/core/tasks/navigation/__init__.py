"""A body in a world: walls, passages, targets, a finish line."""

import gymnasium

NAME = "maxent/Navigation-v0"
"""Gymnasium's name; `task` is a task of `params.yaml` whose `world` is written out."""

gymnasium.register(NAME, entry_point="pipeline.core.tasks.navigation.environments:one")
