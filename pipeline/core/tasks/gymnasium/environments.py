"""Environments by their Gymnasium id, in boxes of [-1, 1]^d."""

from collections.abc import Callable
from functools import partial

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

NO_TIME_LIMIT = -1


def copies(make: Callable[[], gymnasium.Env], count: int) -> VectorEnv:
    """Independent copies, without autoreset, of what has no time limit."""
    return SyncVectorEnv(
        [partial(_in_boxes, make)] * count,
        autoreset_mode=AutoresetMode.DISABLED,
        copy=False,
    )


def registered(name: str) -> gymnasium.Env:
    """The environment of a Gymnasium id, without its time limit."""
    return gymnasium.make(
        name, max_episode_steps=NO_TIME_LIMIT, disable_env_checker=True
    )


def _in_boxes(make: Callable[[], gymnasium.Env]) -> gymnasium.Env:
    env = gymnasium.wrappers.RescaleAction(make(), np.float32(-1), np.float32(1))
    return gymnasium.wrappers.FlattenObservation(env)


def registered_limit(name: str) -> int:
    """Environment steps after which Gymnasium cuts an episode.

    Raises:
        ValueError: The registration has no limit.
    """
    limit = gymnasium.spec(name).max_episode_steps
    if limit is None:
        raise ValueError(f"{name} has no time limit of its own: set `horizon`")
    return limit
