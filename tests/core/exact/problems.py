"""Small episodic problems whose every trajectory can be enumerated."""

import numpy as np

from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.trajectories import Problem, every_path

ROUNDING = {"rtol": 0, "atol": 1e-12}
"""Sums of at most a few thousand numbers of size 1 to 10 in double precision."""


def problem(seed, *, horizon=4, temperature=0.7, least_reward=-1.0, ends=True):
    """Two states and one that ends the episode; two actions."""
    rng = np.random.default_rng(seed)
    transition = np.zeros((3, 2, 3))
    transition[:2] = rng.dirichlet(np.ones(3), size=(2, 2))
    transition[2, :, 2] = 1
    if not ends:
        transition[:2, :, 2] = 0
        transition /= transition.sum(axis=-1, keepdims=True)
    reward = np.zeros((3, 2))
    reward[:2] = rng.uniform(least_reward, 1.0, size=(2, 2))
    mdp = Mdp(transition, reward, discount=0.9, terminal=np.array([False, False, True]))
    start = np.array([0.3, 0.7, 0.0])
    return Problem(mdp, start, horizon=horizon, temperature=temperature)


def policy(task, seed):
    return np.random.default_rng([seed, 1]).normal(size=task.shape)


def episodes(seed):
    """A problem, logits, and all of its episodes."""
    task = problem(seed)
    logits = policy(task, seed)
    return task, logits, every_path(task, logits)
