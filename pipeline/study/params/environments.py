"""Whether an environment can be a task: it exists, and its spaces are boxes."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Space

from pipeline.core.config import Gymnasium, LinearQuadratic, Locomotion, MultiGoal, Task
from pipeline.core.tasks.linear_quadratic import System
from pipeline.study.errors import nearest


@dataclass(frozen=True)
class Environment:
    """What has to be known of an environment before anything is trained in it."""

    observations: Space[object]
    actions: Space[object]
    horizon: int | None
    """Environment steps, if it was registered with a limit."""


def mistakes_of_environment(task: Gymnasium) -> Iterator[tuple[str, str]]:
    """What keeps an environment from being a task: field and message."""
    try:
        environment = _made(task.id)
    except _ImpossibleError as error:
        yield "id", str(error)
        return
    observations, actions = environment.observations, environment.actions
    if not isinstance(observations, Box):
        yield "id", f"{task.id} observes {observations}; only a Box can be observed"
    if not isinstance(actions, Box) or not np.issubdtype(actions.dtype, np.floating):
        yield "id", f"{task.id} acts by {actions}; only a Box of real numbers can act"
    elif not actions.is_bounded("both"):
        yield "id", f"{task.id} acts by {actions}; every action needs two bounds"
    if task.horizon is None and environment.horizon is None:
        yield "horizon", f"missing; {task.id} was registered without a limit"


def mistakes_of_system(task: LinearQuadratic) -> Iterator[str]:
    """What keeps matrices from being a task."""
    try:
        System.of(task)
    except ValueError as error:
        yield str(error)


def spaces(task: Task) -> object:
    """Something that is equal for tasks with the same observations and actions."""
    match task:
        case MultiGoal():
            return "multigoal"
        case Locomotion():
            return task.body
        case LinearQuadratic():
            return task.kind, len(task.dynamics), len(task.action_cost)
        case Gymnasium():
            try:
                environment = _made(task.id)
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
        hint = nearest(name, names) or f"there are: {', '.join(names)}"
        raise _ImpossibleError(f"there is no environment '{name}'; {hint.strip()}")
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
