"""Whether an environment does what it announced, and the same each time."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Space, flatdim, flatten_space
from numpy import ndarray

from pipeline.core.tasks.gymnasium.copy import Copy, vector
from pipeline.core.tasks.gymnasium.patience import Patience

STEPS: Final = 20
ROUNDING: Final = 1e-5
SEED: Final = 0


class FaultError(Exception):
    """What an environment does wrong; `str` goes on after its name."""


class _Moment(NamedTuple):
    """What a reset or a step has shown."""

    observation: bytes
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False


def behave(
    copies: Sequence[gymnasium.Env], doing: Callable[[str], None]
) -> Iterator[str]:
    """Reset and step the first of three copies twice, then the others side by side.

    `doing` is told what is done next. What is odd and does no harm is yielded.

    Raises:
        FaultError: They do not do what they announced, or not the same.
    """
    first, second, third = copies
    once, again = (list(_played(first, SEED, doing)) for _ in range(2))
    _compare(
        once,
        again,
        "when it starts again with the same seed; draw from self.np_random, which "
        "super().reset(seed=seed) seeds, and let reset forget what was before",
    )
    two = (_played(second, SEED, doing), _played(third, SEED + 1, doing))
    _compare(
        once,
        [moment for moment, _ in zip(*two, strict=False)],
        "in a second copy beside a third with the same seed; draw in reset, and keep "
        "nothing in the class or the module",
    )
    yield from _beyond(flatten_space(first.observation_space), once)


def _beyond(announced: Space[Any], shown: Sequence[_Moment]) -> Iterator[str]:
    """The first component of what was shown that is outside of the bounds, if any."""
    assert isinstance(announced, Box), "checked"
    seen = np.stack([np.frombuffer(each.observation, "f4") for each in shown])
    low, high = announced.low.astype("f4"), announced.high.astype("f4")
    slack = ROUNDING * np.abs(seen)
    for step, index in np.argwhere((seen < low - slack) | (seen > high + slack)):
        yield (
            f"shows {seen[step, index]:g} as component {index} of the observation, and "
            f"announced [{low[index]:g}, {high[index]:g}]; learners are given what it "
            "shows"
        )
        return


def _compare(once: Sequence[_Moment], again: Sequence[_Moment], where: str) -> None:
    for step, (before, now) in enumerate(zip(once, again, strict=False)):
        for field, old, new in zip(_Moment._fields, before, now, strict=True):
            if old != new:
                what = f"{field} of step {step}" if step else f"first {field}"
                raise FaultError(f"gives another {what} {where}")


def _played(
    env: gymnasium.Env, seed: int, doing: Callable[[str], None]
) -> Iterator[_Moment]:
    """A reset and some steps, first at the corners of the box of actions."""
    copy = Copy(env, Patience(math.inf))
    shape = STEPS, flatdim(copy.action_space)
    actions = np.random.default_rng(SEED).uniform(-1, 1, shape)
    actions[0], actions[1] = -1, 1
    ended = True
    for step, action in enumerate(actions.astype(np.float32)):
        if ended:
            doing("reset")
            yield _reset(env, seed + step)
        doing("stepped")
        moment = _stepped(env, copy.within(action))
        yield moment
        ended = moment.terminated or moment.truncated


def _reset(env: gymnasium.Env, seed: int) -> _Moment:
    returned = env.reset(seed=seed)
    observation, _ = _parts(returned, "reset", "observation, info")
    return _Moment(_shown(env.observation_space, observation, "reset"))


def _stepped(env: gymnasium.Env, action: ndarray) -> _Moment:
    named = "observation, reward, terminated, truncated, info"
    returned = env.step(action)
    observation, reward, terminated, truncated, _ = _parts(returned, "step", named)
    seen = _shown(env.observation_space, observation, "step")
    number = np.asarray(reward)
    if number.shape or number.dtype.kind not in "fiub":
        raise FaultError(f"rewards a step by {_short(reward)}; a number is due")
    if not np.isfinite(number):
        raise FaultError(
            f"rewards the action {action.tolist()} by {number}; it has to be finite"
        )
    for name, end in (("terminated", terminated), ("truncated", truncated)):
        if np.shape(end) or np.asarray(end).dtype != np.bool_:
            raise FaultError(
                f"says {name} is {_short(end)}; it has to be True or False"
            )
    return _Moment(seen, float(reward), bool(terminated), bool(truncated))


def _parts(returned: Any, method: str, named: str) -> tuple[Any, ...]:
    """What a method returned, which has to be as many values as are named."""
    count = len(named.split(", "))
    if isinstance(returned, tuple) and len(returned) == count:
        return returned
    found = (
        f"{len(returned)} values"
        if isinstance(returned, tuple)
        else f"a {type(returned).__name__}"
    )
    raise FaultError(f"returns {found} from {method}; {count} are due: {named}")


def _shown(announced: Space[Any], observation: Any, method: str) -> bytes:
    """An observation as learners see it; what cannot be one is a fault."""
    try:
        with np.errstate(over="ignore"):
            seen = vector(announced, observation)
    except ValueError as error:
        raise FaultError(
            f"returns from {method} an {error}; observation_space has to say the same"
        ) from None
    for index in np.flatnonzero(~np.isfinite(seen)):
        raise FaultError(
            f"returns from {method} {seen[index]} as component {index} of the "
            "observation; all have to be finite"
        )
    return seen.tobytes()


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return f"{text[:40]} ({type(value).__name__})"
