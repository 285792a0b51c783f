"""The tasks: ours, registered with Gymnasium, and any other that Gymnasium knows."""

from functools import partial
from typing import assert_never

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from pipeline.core.config import Gymnasium, LinearQuadratic, Locomotion, MultiGoal, Task
from pipeline.core.tasks.linear_quadratic import System
from pipeline.core.tasks.multigoal import Arena

NO_TIME_LIMIT = -1

gymnasium.register(
    "maxent/MultiGoal-v0",
    entry_point="pipeline.core.tasks.multigoal_envs:MultiGoalEnv",
    vector_entry_point="pipeline.core.tasks.multigoal_envs:MultiGoalVectorEnv",
    max_episode_steps=30,
)
gymnasium.register(  # to be made with a `system`
    "maxent/LinearQuadratic-v0",
    entry_point="pipeline.core.tasks.linear_quadratic:LinearQuadraticEnv",
    vector_entry_point="pipeline.core.tasks.linear_quadratic:LinearQuadraticVectorEnv",
    max_episode_steps=30,
)
SWIMMERS = {
    "speed": "maxent/SwimmerAnyDirection-v0",
    "forward": "maxent/SwimmerForward-v0",
}
for _reward, _name in SWIMMERS.items():
    gymnasium.register(
        _name,
        entry_point="pipeline.core.tasks.locomotion:SwimmerCentreOfMassEnv",
        kwargs={"reward": _reward},
        max_episode_steps=500,
    )


def make(task: Task, count: int) -> VectorEnv:
    """Independent copies of a task's environment, without time limit or autoreset.

    Actions are in [-1, 1]^d and are scaled to the environment's box; observations are
    vectors. The time limit is the business of `Episodes`, which knows a cut episode
    from an ended one.

    Args:
        task: Its configuration.
        count: How many.
    """
    match task:
        case MultiGoal():
            return gymnasium.make_vec(
                "maxent/MultiGoal-v0",
                num_envs=count,
                vectorization_mode="vector_entry_point",
                max_episode_steps=task.horizon,
                arena=Arena.of(task),
            )
        case LinearQuadratic():
            return gymnasium.make_vec(
                "maxent/LinearQuadratic-v0",
                num_envs=count,
                vectorization_mode="vector_entry_point",
                max_episode_steps=task.horizon,
                system=System.of(task),
            )
        case Locomotion(reward=reward):
            one = partial(_one, SWIMMERS[reward])
        case Gymnasium(id=name):
            one = partial(_one, name)
        case _:
            assert_never(task)
    return SyncVectorEnv(
        [one] * count, autoreset_mode=AutoresetMode.DISABLED, copy=False
    )


def horizon(task: Task) -> int:
    """Environment steps after which an episode is cut.

    Raises:
        ValueError: Neither the task nor the environment's registration has a limit.
    """
    if task.horizon is not None:
        return task.horizon
    limit = gymnasium.spec(task.id).max_episode_steps
    if limit is None:
        raise ValueError(f"{task.id} has no time limit of its own: set `horizon`")
    return limit


def _one(name: str) -> gymnasium.Env:
    env = gymnasium.make(
        name, max_episode_steps=NO_TIME_LIMIT, disable_env_checker=True
    )
    env = gymnasium.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))
    return gymnasium.wrappers.FlattenObservation(env)
