"""What episodes in a world say; `docs/metrics.md` defines each."""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from pipeline.core.tasks.directions import MOVED, direction_spread
from pipeline.core.tasks.geometry import corners, crosses, distances
from pipeline.core.tasks.multigoal.metrics import of_goals
from pipeline.core.tasks.navigation.rewards import past_line
from pipeline.core.tasks.navigation.world import TARGET_RADIUS, World
from pipeline.core.tasks.trajectories import Trajectories

ANYWHERE = ("return", "distance", "forward_distance", "direction_spread")
"""Metrics that every world has."""

LINE_WAYS = ("forward", "backward")
"""Ways along x: shares of the episodes that end at least `MOVED` ahead and behind."""

NOTHING_AT_ZERO = (
    *LINE_WAYS,
    "success",
    "past_line",
    "multi_goal_score",
    "distance",
    "direction_spread",
)
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
    if world.passages is not None:
        first = _first_passage(trajectories, world)
        names = enumerate(passages(world))
        found |= {name: (first == way).mean(axis=1) for way, name in names}
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


def along_line(trajectories: Trajectories) -> dict[str, Float[ndarray, " member"]]:
    """The two ways along x, per member."""
    assert trajectories.positions is not None
    ahead = (trajectories.last_positions - trajectories.positions[:, :, 0])[..., 0]
    shares = ((sign * ahead >= MOVED).mean(axis=1) for sign in (1, -1))
    return dict(zip(LINE_WAYS, shares, strict=True))


def passages(world: World) -> tuple[str, ...]:
    """Names of the shares of episodes that go through each open passage first."""
    open_ones = world.passages.open if world.passages else ()
    return tuple(f"passage_{way}" for way in range(len(open_ones)))


def _first_passage(
    trajectories: Trajectories, world: World
) -> Int[ndarray, "member episode"]:
    """Which open passage each episode goes through first; -1: none."""
    assert trajectories.positions is not None
    assert world.passages is not None
    path = trajectories.positions
    steps = path.shape[2] - 1
    boxes = corners(world.passages.open)
    entered = [
        np.where(met.any(axis=-1), met.argmax(axis=-1), steps)
        for met in (
            crosses(path[:, :, :-1], path[:, :, 1:], box[None]) for box in boxes
        )
    ]
    when = np.stack(entered)  # [passage, member, episode]
    return np.where((when < steps).any(axis=0), when.argmin(axis=0), -1)


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
