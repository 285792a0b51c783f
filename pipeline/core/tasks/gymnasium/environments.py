"""Environments by their Gymnasium id, in boxes of [-1, 1]^d."""

from collections.abc import Callable
from importlib import import_module

import gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from pipeline.core.tasks.gymnasium.copy import Copy

NO_TIME_LIMIT = -1


def copies(
    make: Callable[[], gymnasium.Env], count: int, *, told: tuple[str, ...] = ()
) -> VectorEnv:
    """Independent copies, without autoreset, of what has no time limit.

    `told` are the keys of their info that anyone reads.
    """
    return SyncVectorEnv(
        [lambda: Copy(make(), told)] * count,
        autoreset_mode=AutoresetMode.DISABLED,
        copy=False,
    )


def registered(name: str) -> gymnasium.Env:
    """The environment of a Gymnasium id, without its time limit."""
    return gymnasium.make(
        name, max_episode_steps=NO_TIME_LIMIT, disable_env_checker=True
    )


def registered_limit(name: str) -> int:
    """Environment steps after which Gymnasium cuts an episode.

    Raises:
        ValueError: The registration has no limit.
    """
    module, _, registered_name = name.rpartition(":")
    if module:
        import_module(module)  # registers it
    limit = gymnasium.spec(registered_name).max_episode_steps
    if limit is None:
        raise ValueError(f"{name} has no time limit of its own: set `horizon`")
    return limit
