"""One environment, as learners see it: vectors observed, [-1, 1]^d to act by."""

import math
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Space, Tuple, flatdim, flatten
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.tasks.gymnasium.patience import Patience

REASON_LENGTH: Final = 200


class Copy(gymnasium.Wrapper):
    """An environment of boxes, whose info says nothing.

    It is reset without options. What it is acted by has the shape and the type that it
    announced and is within its bounds, also after rounding. If it raises, hangs or
    shows something else than it announced, it is not touched again before a reset.
    """

    def __init__(
        self, env: gymnasium.Env, patience: Patience, *, in_plane: bool = False
    ) -> None:
        """Wrap it; `in_plane` if its info says where its body is in a plane."""
        super().__init__(env)
        self._patience = patience
        assert isinstance(env.action_space, Box), "checked"
        self._observed = env.observation_space
        self._low, self._high = env.action_space.low, env.action_space.high
        self._centre = self._low / 2 + self._high / 2
        self._reach = self._high / 2 - self._low / 2
        self._in_plane = in_plane
        self._is_box = isinstance(self._observed, Box)
        self._seen = np.zeros(flatdim(self._observed), dtype=np.float32)
        self.position = np.zeros(2)
        """Where its body is in the plane, if there is one."""
        self.failure: str | None = None
        """Why it has failed since the last reset."""
        self.observation_space = Box(-np.inf, np.inf, (flatdim(self._observed),))
        self.action_space = Box(-1.0, 1.0, (flatdim(env.action_space),))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float[ndarray, " state"], dict[str, Any]]:
        """Start an episode; options are not passed on."""
        self.failure = None
        try:
            self._patience.since = monotonic()
            observation, info = self.env.reset(seed=seed)
            self._patience.since = math.inf
            self._see(observation, info)
        except Exception as error:  # whatever a user's code may raise
            self._fail(error)
        return self._seen, {}

    def step(
        self, action: Float[ndarray, " action"]
    ) -> tuple[Float[ndarray, " state"], float, bool, bool, dict[str, Any]]:
        """Act; nothing happens in an environment that has failed."""
        if self.failure is not None:
            return self._seen, 0.0, False, False, {}
        try:
            given = self.within(action)
            self._patience.since = monotonic()
            observation, reward, ended, cut, info = self.env.step(given)
            self._patience.since = math.inf
            self._see(observation, info)
            return self._seen, float(reward), bool(ended), bool(cut), {}
        except Exception as error:  # whatever a user's code may raise
            self._fail(error)
            return self._seen, 0.0, False, False, {}

    def _fail(self, error: Exception) -> None:
        self._patience.since = math.inf
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        self.failure = text[:REASON_LENGTH]

    def within(self, action: Float[ndarray, " action"]) -> ndarray:
        """What the environment is given for an action of a learner."""
        scaled = self._centre + self._reach * action.reshape(self._centre.shape)
        bounded: ndarray = np.minimum(np.maximum(scaled, self._low), self._high)
        return bounded.astype(self._low.dtype, copy=False)

    def _see(self, observation: Any, info: Any) -> None:
        if (
            self._is_box
            and type(observation) is ndarray
            and observation.shape == self._observed.shape
        ):
            self._seen = observation.ravel()
        else:
            self._seen = vector(self._observed, observation)
        if self._in_plane:
            self.position = info["position"]


def vector(announced: Space[Any], observation: Any) -> Float[ndarray, " state"]:
    """An observation of boxes as Gymnasium flattens it.

    Raises:
        ValueError: It is not what was announced.
    """
    if reason := misfit(announced, observation):
        raise ValueError(reason)
    return np.asarray(flatten(announced, observation), dtype=np.float32)


def misfit(announced: Space[Any], observation: Any, part: str = "") -> str | None:
    """How an observation is of another shape than was announced; None: it is not.

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
                value = np.asarray(observation)
            except ValueError:
                return f"{found} is a {kind}, not an array of numbers"
            if value.shape != announced.shape:
                return (
                    f"{found} of shape {value.shape}; {announced.shape} was announced"
                )
            if value.dtype.kind not in _kinds(announced):
                return f"{found} of {value.dtype}; {announced.dtype} was announced"
            return None
    if spaces.keys() != seen.keys():
        return f"{found} of the parts {[*seen]}; {[*spaces]} were announced"
    reasons = (misfit(spaces[key], seen[key], f"{part} {key!r}") for key in spaces)
    return next(filter(None, reasons), None)


def _kinds(announced: Space[Any]) -> str:
    """NumPy's letters for the numbers that can stand for those announced."""
    return "fiub" if np.issubdtype(announced.dtype, np.floating) else "iub"
