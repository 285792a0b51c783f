"""One environment, as learners see it: vectors observed, [-1, 1]^d to act by."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Space, Tuple, flatdim, flatten
from jaxtyping import Float
from numpy import ndarray


class Copy(gymnasium.Wrapper):
    """An environment of boxes; `told` are the keys of its info that anyone reads.

    It is reset without options. What it is acted by has the shape and the type that it
    announced and is within its bounds, also after rounding.
    """

    def __init__(self, env: gymnasium.Env, told: tuple[str, ...] = ()) -> None:
        super().__init__(env)
        assert isinstance(env.action_space, Box), "checked"
        self._observed = env.observation_space
        self._told = told
        self._low, self._high = env.action_space.low, env.action_space.high
        self._centre = self._low / 2 + self._high / 2
        self._reach = self._high / 2 - self._low / 2
        self.observation_space = Box(-np.inf, np.inf, (flatdim(self._observed),))
        self.action_space = Box(-1.0, 1.0, (flatdim(env.action_space),))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float[ndarray, " state"], dict[str, Any]]:
        """Start an episode; options are not passed on.

        Raises:
            ValueError: It shows something else than it announced.
        """
        observation, info = self.env.reset(seed=seed)
        return vector(self._observed, observation), self._kept(info)

    def step(
        self, action: Float[ndarray, " action"]
    ) -> tuple[Float[ndarray, " state"], float, bool, bool, dict[str, Any]]:
        """Act.

        Raises:
            ValueError: It shows something else than it announced.
        """
        observation, reward, terminated, truncated, info = self.env.step(
            self._within(action)
        )
        seen = vector(self._observed, observation)
        return seen, float(reward), bool(terminated), bool(truncated), self._kept(info)

    def _within(self, action: Float[ndarray, " action"]) -> ndarray:
        scaled = self._centre + self._reach * action.reshape(self._centre.shape)
        within: ndarray = scaled.clip(self._low, self._high).astype(self._low.dtype)
        return within

    def _kept(self, info: Any) -> dict[str, Any]:
        return {key: info[key] for key in self._told}


def vector(announced: Space[Any], observation: Any) -> Float[ndarray, " state"]:
    """An observation of boxes as Gymnasium flattens it.

    Raises:
        ValueError: It is not of the shape that was announced.
    """
    if reason := misfit(announced, observation):
        raise ValueError(reason)
    return np.asarray(flatten(announced, observation), dtype=np.float32)


def misfit(announced: Space[Any], observation: Any, part: str = "") -> str | None:
    """How an observation differs in shape from what was announced; None: it does not.

    `part` says of which part of it, with a space before it.
    """
    found = f"observation{part}"
    kind = type(observation).__name__
    spaces: dict[Any, Space[Any]]
    match announced:
        case Dict():
            if not isinstance(observation, Mapping):
                return f"{found} is a {kind}, not a dictionary"
            spaces, seen = dict(announced.items()), dict(observation)
        case Tuple():
            if not isinstance(observation, tuple | list):
                return f"{found} is a {kind}, not a tuple"
            spaces, seen = dict(enumerate(announced)), dict(enumerate(observation))
        case _:
            try:
                shape = np.shape(observation)
            except ValueError:
                return f"{found} is a {kind}, not an array of numbers"
            if shape == announced.shape:
                return None
            return f"{found} of shape {shape}; {announced.shape} was announced"
    if spaces.keys() != seen.keys():
        return f"{found} of the parts {[*seen]}; {[*spaces]} were announced"
    reasons = (misfit(spaces[key], seen[key], f"{part} {key!r}") for key in spaces)
    return next(filter(None, reasons), None)
