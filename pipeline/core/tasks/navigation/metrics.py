"""What episodes in a world say; `docs/metrics.md` defines each."""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from pipeline.core.tasks.directions import direction_spread
from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.multigoal.metrics import of_goals
from pipeline.core.tasks.navigation.rewards import past_line
from pipeline.core.tasks.navigation.world import TARGET_RADIUS, World
from pipeline.core.tasks.trajectories import Trajectories

ANYWHERE = ("return", "distance", "forward_distance", "direction_spread")
"""Metrics that every world has."""

SHARES = ("success", "past_line", "multi_goal_score", "distance", "direction_spread")
"""Metrics that are 0 for a policy that achieves nothing."""


def defined(world: World) -> tuple[str, ...]:
    """Metrics that a sweep may maximise in a world."""
    found: tuple[str, ...] = ANYWHERE
    if world.targets or world.finish_line is not None:
        found += ("success",)
    if len(world.targets) > 1:
        found += ("multi_goal_score",)
    if world.finish_line is not None:
        found += ("past_line",)
    return found


def of_world(
    trajectories: Trajectories, world: World
) -> dict[str, Float[ndarray, " member"]]:
    """All of them but the return, per member."""
    assert trajectories.positions is not None
    moved = trajectories.last_positions - trajectories.positions[:, :, 0]
    found = {
        "distance": np.linalg.norm(moved, axis=-1).mean(axis=1),
        "forward_distance": moved[..., 0].mean(axis=1),
        "direction_spread": direction_spread(moved),
    }
    if len(world.targets) > 1:
        found |= of_goals(trajectories, world.targets)
    if world.targets:
        found["target_distance"] = _closest(trajectories, world).mean(axis=1)
    if world.finish_line is not None:
        past = past_line(trajectories.last_positions, world)
        found["past_line"] = past.mean(axis=1)
    if world.targets or world.finish_line is not None:
        found["success"] = succeeded(trajectories, world).mean(axis=1)
    return found


def succeeded(
    trajectories: Trajectories, world: World
) -> Bool[ndarray, "member episode"]:
    """Whether each episode comes to a target, or else ends past the finish line."""
    if world.targets:
        return np.asarray(_closest(trajectories, world) < TARGET_RADIUS)
    return past_line(trajectories.last_positions, world)


def _closest(
    trajectories: Trajectories, world: World
) -> Float[ndarray, "member episode"]:
    """Least distance to a target in each episode."""
    assert trajectories.positions is not None
    each = distances(trajectories.positions, np.array(world.targets)).min(axis=-1)
    return np.asarray(np.nanmin(each, axis=2))
