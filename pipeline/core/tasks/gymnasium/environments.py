"""Environments by their Gymnasium id, in boxes of [-1, 1]^d."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import flatdim
from gymnasium.vector import VectorEnv
from numpy import ndarray

from pipeline.core.tasks.gymnasium.copy import Copy
from pipeline.core.tasks.gymnasium.patience import Patience

NO_TIME_LIMIT = -1
PATIENCE_SECONDS = 60.0
"""What a reset or a step may take."""


class Copies(VectorEnv):
    """Independent copies of an environment, of which any may fail without the others.

    Gymnasium's `SyncVectorEnv` stops with the first that raises, and stacks what their
    info says, which may not fit together.
    """

    def __init__(
        self, make: Callable[[], gymnasium.Env], count: int, *, in_plane: bool = False
    ) -> None:
        """Make them; `in_plane` if their info says where bodies are in a plane."""
        self.patience = Patience(PATIENCE_SECONDS)
        """Whoever makes many steps had better enter it around all of them."""
        self._copies = [
            Copy(make(), self.patience, in_plane=in_plane) for _ in range(count)
        ]
        self._in_plane = in_plane
        self.num_envs = count
        self.single_observation_space = self._copies[0].observation_space
        self.single_action_space = self._copies[0].action_space
        self._seen = np.zeros((count, flatdim(self.single_observation_space)), "f4")

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[ndarray, dict[str, Any]]:
        """Start an episode where `options["reset_mask"]` says, each by its seed."""
        assert isinstance(seed, list), "every episode has a seed of its own"
        assert options is not None, "somebody says where an episode starts"
        with self.patience:
            for row in np.flatnonzero(options["reset_mask"]):
                self._seen[row], _ = self._copies[row].reset(seed=seed[row])
        return self._seen, self._info()

    def step(
        self, actions: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray, dict[str, Any]]:
        """Act in every copy."""
        rewards = np.zeros(self.num_envs)
        ended, cut = np.zeros((2, self.num_envs), dtype=bool)
        with self.patience:
            for row, one in enumerate(self._copies):
                made = one.step(actions[row])
                self._seen[row], rewards[row], ended[row], cut[row], _ = made
        return self._seen, rewards, ended, cut, self._info()

    def close(self, **_: Any) -> None:
        """Close every copy."""
        for one in self._copies:
            one.close()

    def _info(self) -> dict[str, Any]:
        """Where bodies are, and for what reason each copy has failed, if any has."""
        info: dict[str, Any] = {}
        if self._in_plane:
            info["position"] = np.stack([one.position for one in self._copies])
        failures = [one.failure for one in self._copies]
        return info | {"failure": failures} if any(failures) else info


def registered(name: str, **options: Any) -> gymnasium.Env:
    """The environment of a Gymnasium id, without its time limit."""
    with _of_old_models() if _is_mujoco(name) else nullcontext():
        return gymnasium.make(
            name, max_episode_steps=NO_TIME_LIMIT, disable_env_checker=True, **options
        )


def _is_mujoco(name: str) -> bool:
    """Whether Gymnasium itself makes it of a model of MuJoCo."""
    entry = gymnasium.registry.get(name)
    return entry is not None and "gymnasium.envs.mujoco" in str(entry.entry_point)


@contextmanager
def _of_old_models() -> Iterator[None]:
    """Do not say, on the terminal and in a file here, that HalfCheetah's is old."""
    import mujoco

    def say(message: str) -> None:
        if "settotalmass" not in message:
            warnings.warn(message, stacklevel=2)

    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(say)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def on_film(name: str) -> Copy | None:
    """One that renders itself, if it can; a body of MuJoCo is followed."""
    one = registered(name, render_mode="rgb_array")
    if "rgb_array" not in one.metadata.get("render_modes", ()):
        return None
    if (renderer := getattr(one.unwrapped, "mujoco_renderer", None)) is not None:
        cameras = {renderer.model.camera(i).name for i in range(renderer.model.ncam)}
        if "track" in cameras:
            renderer.camera_id = renderer.model.camera("track").id
    return Copy(one, Patience(PATIENCE_SECONDS))


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
