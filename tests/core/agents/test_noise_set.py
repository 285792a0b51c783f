"""Noise from a set that shrinks: what a policy draws with, and where that ends."""

from itertools import pairwise

import pytest
import torch
from scipy.optimize import brentq

from pipeline.core.agents.noise_set import RestrictedNoise, left
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.config.learner import NoiseSet
from tests.core.configs import ALGORITHMS
from tests.core.updating import fresh

SIZE = 8
SET = NoiseSet(size=SIZE, share=0.5)


def restricted(seeds, *, actions=2):
    setting = Setting(tuple(seeds), states=1, actions=actions, discount=0.9)
    return RestrictedNoise(SET, setting)


def noise(members, *shape):
    return torch.randn(members, *shape, generator=torch.Generator().manual_seed(0))


def test_its_size_falls_linearly_to_one_vector():
    shares = [0.0, 0.06, 0.07, 0.25, 0.43, 0.44, 0.5, 1.0]
    assert [left(SET, share) for share in shares] == [8, 8, 7, 4, 2, 1, 1, 1]


@pytest.mark.parametrize(("progress", "count"), [(None, 8), (0.0, 8), (0.25, 4)])
def test_noise_is_one_of_so_many_vectors_all_alike_likely(progress, count):
    noises = restricted([0, 1])
    if progress is not None:
        noises.follow(progress)
    for drawn in noises.of(noise(2, 4000, 2)):
        vectors, counts = drawn.unique(dim=0, return_counts=True)
        assert len(vectors) == count
        # Four standard errors of a share of 4000 draws.
        expected = 4000 / count
        assert (counts - expected).abs().max() < 4 * expected**0.5


def test_a_smaller_set_is_the_beginning_of_a_larger_one():
    noises, sizes = restricted([3]), []
    for progress in (0.0, 0.2, 0.4, 1.0):
        noises.follow(progress)
        sizes.append({tuple(v) for v in noises.of(noise(1, 500, 2))[0].tolist()})
    assert sizes == sorted(sizes, key=len, reverse=True)
    assert all(small < large for large, small in pairwise(sizes))


def test_each_member_has_its_own_set_in_any_company():
    pair, three = restricted([0, 1]), restricted([2, 1, 0])
    same = noise(1, 50, 2)
    ours, theirs = pair.of(same.repeat(2, 1, 1)), three.of(same.repeat(3, 1, 1))
    assert torch.equal(ours.flip(0), theirs[1:])
    assert not torch.equal(ours[0], ours[1])


def test_with_one_vector_left_all_actions_in_a_state_are_equal():
    agent = fresh("sql_copied")
    for weights in agent.networks().values():
        weights.add_(noise(*weights.shape))
    state = noise(2, 1, 2).expand(2, 40, 2)
    agent.follow_schedules(0.0)
    assert len(agent.sample(state, noise(2, 40, 2))[0].unique(dim=0)) > 1
    agent.follow_schedules(1.0)
    starting = torch.tensor([False, False])
    acts = [agent.act(state[:, 0], step=i, starting=starting) for i in range(40)]
    (sampled,), (greedy,), (acted,) = (
        actions[0].unique(dim=0).tolist()
        for actions in (
            agent.sample(state, noise(2, 40, 2)),
            agent.greedy(state),
            torch.stack(acts, dim=1),
        )
    )
    assert sampled == pytest.approx(greedy)
    assert sampled == pytest.approx(acted)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("alpha", [0.01, 2.0])
def test_with_one_vector_left_the_sampler_finds_the_mode_before_the_squashing(alpha):
    # Of Q(a) = -4 (a - b)² at a = tanh u the slope of Q + α log(1 - a²) along u is
    # -8 (a - b)(1 - a²) - 2 α a, which has one root between 0 and b.
    best = 0.9

    def slope(a):
        return -8 * (a - best) * (1 - a**2) - 2 * alpha * a

    config = ALGORITHMS["sql"] | {
        "learning_rate": {"q": 1e-3, "policy": 5e-3, "constant": 1.0},
        "candidates": 1,
        "noise_set": SET,
    }
    setting = Setting((0, 1), states=1, actions=1, discount=0.9)
    sampler = SteinSampler([Sql.model_validate(config)] * 2, setting)
    sampler.follow(1.0)
    for index in range(300):
        sampler.learn(
            torch.zeros(2, 5, 1),
            lambda state, action: -4 * (action - best).square().sum(dim=-1),
            temperature=torch.full((2,), alpha),
            noise=sampler.noise.at(index),
        )
    found = sampler.draw(torch.zeros(2, 1, 1, 1), noise(2, 1, 1, 1)).flatten()
    assert found.tolist() == pytest.approx([brentq(slope, 0, best)] * 2, abs=1e-3)
