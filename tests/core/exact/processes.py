"""Processes for the tests of exact answers."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.core.exact.mdp import Mdp

temperatures = st.floats(0.05, 20)
few = settings(max_examples=25, deadline=None)
"""For properties whose every example solves, or enumerates, something."""


def random_mdp(seed, *, states, actions, discount, terminals):
    """Random rewards within ±3 or so, and moves to a random subset of the states."""
    draw = np.random.default_rng(seed)
    weight = draw.exponential(size=(states, actions, states))
    weight *= draw.random(weight.shape) < 0.7
    weight[..., -1] += 1e-3  # no row is empty
    transition = weight / weight.sum(axis=-1, keepdims=True)
    reward = draw.normal(size=(states, actions))
    terminal = np.arange(states) >= states - terminals
    transition[terminal] = np.eye(states)[terminal][:, None]
    reward[terminal] = 0.0
    return Mdp(transition, reward, discount, terminal)


def mdps(*, terminals):
    """Processes with up to 5 states and 4 actions, `terminals` of them terminal."""
    return st.builds(
        random_mdp,
        seed=st.integers(0, 10**6),
        states=st.integers(2, 5),
        actions=st.integers(1, 4),
        discount=st.floats(0, 0.95),
        terminals=st.just(terminals),
    )


def any_mdps():
    """With or without a terminal state."""
    return mdps(terminals=0) | mdps(terminals=1)


def random_q(mdp, seed):
    """A Q-function of the process that is as good as any other."""
    q = 5 * np.random.default_rng(seed).normal(size=mdp.reward.shape)
    return q * ~mdp.terminal[:, None]


def random_policy(mdp, seed):
    """A policy with every action, some of them rare."""
    draw = np.random.default_rng(seed)
    return draw.dirichlet(np.full(mdp.reward.shape[1], 0.7), size=len(mdp.reward))


def bandit(reward):
    """One state, from which every action ends the episode."""
    count = len(reward)
    transition = np.zeros((2, count, 2))
    transition[..., 1] = 1.0
    rewards = np.stack([np.asarray(reward), np.zeros(count)])
    return Mdp(transition, rewards, 0.9, np.array([False, True]))
