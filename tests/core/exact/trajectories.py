"""Short episodes, and sums over every trajectory that they may take."""

import math
from itertools import pairwise, product

import numpy as np

from pipeline.core.exact.inference import Episode

STATES, ACTIONS, STEPS = 3, 2, 3


def random_episode(seed):
    draw = np.random.default_rng(seed)
    transition = draw.dirichlet(np.full(STATES, 0.7), size=(STATES, ACTIONS))
    reward = draw.normal(size=(STATES, ACTIONS))
    return Episode(transition, reward, draw.dirichlet(np.ones(STATES)), STEPS)


def deterministic_episode(seed):
    draw = np.random.default_rng(seed)
    after = draw.integers(STATES, size=(STATES, ACTIONS))
    reward = draw.normal(size=(STATES, ACTIONS))
    start = np.eye(STATES)[draw.integers(STATES)]
    return Episode(np.eye(STATES)[after], reward, start, STEPS)


def trajectories(episode):
    """Every (s₁, a₁, …, s_T, a_T) as indices, with its chance and its return."""
    pairs = list(product(range(STATES), range(ACTIONS)))
    for path in product(pairs, repeat=episode.steps):
        chance = episode.initial[path[0][0]]
        for (state, action), (state_next, _) in pairwise(path):
            chance *= episode.transition[state, action, state_next]
        yield path, chance, sum(episode.reward[pair] for pair in path)


def marginals(episode, weight_of):
    """Sums of weights of the trajectories through each [time, state, action]."""
    total = np.zeros((episode.steps, *episode.reward.shape))
    for path, chance, rewards in trajectories(episode):
        for time, pair in enumerate(path):
            total[(time, *pair)] += weight_of(path, chance, rewards)
    return total


def posterior_weight(alpha):
    return lambda path, chance, rewards: chance * math.exp(rewards / alpha)


def chance_under(policy):
    def weight(path, chance, rewards):
        steps = (policy[(time, *pair)] for time, pair in enumerate(path))
        return chance * math.prod(steps)

    return weight


def bound_of(episode, policy, alpha):
    """E_q log p(τ, O) / q(τ), by enumeration; the dynamics cancel."""
    total, weight = 0.0, chance_under(policy)
    for path, chance, rewards in trajectories(episode):
        share = weight(path, chance, rewards)
        if share > 0:
            steps = (policy[(time, *pair)] for time, pair in enumerate(path))
            total += share * (rewards / alpha - sum(math.log(p) for p in steps))
    return total
