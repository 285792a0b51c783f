"""Whether an environment can be a task: it exists, and its spaces are boxes."""

import difflib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Space


@dataclass(frozen=True)
class Environment:
    """What has to be known of an environment before anything is trained in it."""

    observations: Space[object]
    actions: Space[object]
    horizon: int | None
    """Environment steps, if it was registered with a limit."""


def mistakes(name: str, horizon: int | None) -> Iterator[tuple[str, str]]:
    """What keeps an environment, by its id, from being a task: field and message.

    The horizon is the task's own, if it has one.
    """
    try:
        environment = _made(name)
    except _ImpossibleError as error:
        yield "id", str(error)
        return
    observations, actions = environment.observations, environment.actions
    if not isinstance(observations, Box):
        yield "id", f"{name} observes {observations}; only a Box can be observed"
    if not isinstance(actions, Box) or not np.issubdtype(actions.dtype, np.floating):
        yield "id", f"{name} acts by {actions}; only a Box of real numbers can act"
    elif not actions.is_bounded("both"):
        yield "id", f"{name} acts by {actions}; every action needs two bounds"
    if horizon is None and environment.horizon is None:
        yield "horizon", f"missing; {name} was registered without a limit"


def shapes(name: str) -> object:
    """Of observations and actions; None if there is no such environment."""
    try:
        environment = _made(name)
    except _ImpossibleError:
        return None
    return environment.observations.shape, environment.actions.shape


class _ImpossibleError(Exception):
    """There is no such environment on this machine."""


@cache
def _made(name: str) -> Environment:
    """Look at an environment by making it once."""
    if ":" not in name and name not in gymnasium.registry:
        names = sorted(gymnasium.registry)
        similar = difflib.get_close_matches(name, names, n=1)
        hint = (
            f"did you mean '{similar[0]}'?"
            if similar
            else f"there are: {', '.join(names)}"
        )
        raise _ImpossibleError(f"there is no environment '{name}'; {hint}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            environment = gymnasium.make(name)
    except Exception as error:  # whatever the environment's own code may raise
        reason = str(error).split("\n")[0]
        raise _ImpossibleError(f"'{name}' cannot be made here: {reason}") from None
    limit = environment.spec.max_episode_steps if environment.spec else None
    found = Environment(environment.observation_space, environment.action_space, limit)
    environment.close()
    return found
