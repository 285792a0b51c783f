"""Environments by their Gymnasium id, in boxes of [-1, 1]^d."""

from functools import partial

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

NO_TIME_LIMIT = -1


def copies(name: str, count: int) -> VectorEnv:
    """Independent copies, without time limit or autoreset; as `Kind.environments`."""
    return SyncVectorEnv(
        [partial(_one, name)] * count,
        autoreset_mode=AutoresetMode.DISABLED,
        copy=False,
    )


def _one(name: str) -> gymnasium.Env:
    env = gymnasium.make(
        name, max_episode_steps=NO_TIME_LIMIT, disable_env_checker=True
    )
    env = gymnasium.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))
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
