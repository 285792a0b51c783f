"""Draws by importance: the noise, the density, the choice, and what they give."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.core.agents import resampling
from pipeline.core.agents.stein import NEARLY_UNIFORM
from tests.core.agents.test_sampler import (
    TEMPERATURE,
    boltzmann,
    distance,
    sampler,
    total_variation,
    two_peaks,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(count=st.integers(1, 16), dims=st.integers(1, 4))
def test_the_first_candidate_is_the_noise_itself(count, dims):
    noise = normal(100, dims)
    first = resampling.spread(noise, count)[:, 0]
    torch.testing.assert_close(first, noise, rtol=1e-5, atol=1e-5)


def test_every_candidate_is_normal():
    # 5 candidates of 2 axes, each refused for a right generator once in 10⁴ times.
    spread = resampling.spread(normal(5000, 2), 5)
    for candidate in spread.permute(1, 2, 0).flatten(0, 1).numpy():
        assert stats.kstest(candidate, "norm").pvalue > 1e-4


def test_noise_far_out_gives_finite_candidates():
    spread = resampling.spread(torch.tensor([[-40.0, 40.0], [9.0, -9.0]]), 7)
    assert spread.isfinite().all()


@given(seed=st.integers(0, 10_000), dims=st.integers(1, 4))
def test_the_density_of_a_linear_map_is_the_gaussian_it_makes(seed, dims):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(dims, dims)) + 3 * np.eye(dims)
    shift = rng.normal(size=dims)
    noise = torch.from_numpy(rng.normal(size=(2, 3, dims))).requires_grad_()
    moved = noise @ torch.from_numpy(matrix).T + torch.from_numpy(shift)
    found = resampling.log_density_of_map(noise, moved)
    gaussian = stats.multivariate_normal(shift, matrix @ matrix.T)
    expected = gaussian.logpdf(moved.detach().numpy())
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-8, atol=1e-8)


def test_a_map_onto_a_point_has_a_large_but_finite_density():
    noise = normal(4, 2).requires_grad_()
    density = resampling.log_density_of_map(noise, 0 * noise)
    assert (density > 30).all()
    assert density.isfinite().all()


@pytest.mark.parametrize("purpose", ["candidate", "neighbour"])
@pytest.mark.parametrize("where", ["below", "above"])
def test_actions_are_chosen_by_weight_wherever_the_noise_is(where, purpose):
    noise = normal(40_000, 2).abs() * (-1 if where == "below" else 1)
    weight = torch.tensor([0.1, 0.0, 0.6, 0.3])
    log_weight = (7 + weight.log()).expand(len(noise), -1)
    chosen = resampling.choose(log_weight, noise, purpose)
    counts = torch.bincount(chosen, minlength=4)
    assert counts[1] == 0
    there = weight > 0
    expected = weight[there].numpy() * len(noise)
    assert stats.chisquare(counts[there].numpy(), expected).pvalue > 1e-3


def test_what_is_decided_from_one_noise_is_as_good_as_independent():
    noise = normal(40_000, 2)
    place = torch.special.ndtr(noise[:, :1])
    numbers = [resampling.digits(noise, purpose) for purpose in resampling.FINER]
    columns = torch.cat([place, *numbers], dim=1).unbind(dim=1)
    for first, second in itertools.combinations(columns, 2):
        counts, _, _ = np.histogram2d(first, second, bins=8, range=[[0, 1], [0, 1]])
        assert stats.chisquare(counts.flatten()).pvalue > 1e-4


def near(count, *, rows=2000):
    """Actions, and those around each."""
    action = 2 * torch.rand(rows, 2, generator=torch.Generator().manual_seed(1)) - 1
    action[0] = 1.0  # a saturated tanh
    return action, resampling.around(action, normal(rows, 2), count)


def test_actions_around_one_are_in_the_box_and_near():
    action, others = near(8)
    assert torch.equal(others[:, 0], action)
    assert others.abs().max() <= 1
    away = (others - action.unsqueeze(1)).abs()
    assert torch.minimum(away, 2 - away).max() <= resampling.WIDTH + 1e-6


def test_every_action_around_one_has_the_same_around_it():
    _, others = near(8)
    again = resampling.around(others[:, 3], normal(2000, 2), 8)
    apart = (again.unsqueeze(1) - others.unsqueeze(2)).abs()
    apart = torch.minimum(apart, 2 - apart).amax(dim=3)
    assert apart.amin(dim=2)[1:].max() < 1e-5


def moved(action, *, count=8):
    """One step of the chain from each action."""
    noise = normal(*action.shape, seed=5)
    others = resampling.around(action, noise, count)
    log_weight = two_peaks(others) / TEMPERATURE
    index = resampling.choose(log_weight, noise, "neighbour")[:, None, None]
    return torch.take_along_dim(others, index, dim=1).squeeze(1)


def test_a_move_leaves_the_target_as_it_is():
    rng = np.random.default_rng(3)
    proposed = torch.from_numpy(rng.uniform(-1, 1, size=(400_000, 2))).float()
    density = torch.exp(two_peaks(proposed) / TEMPERATURE)
    exact = proposed[torch.from_numpy(rng.random(len(density))) < density / 1.01]
    counts, _, _ = np.histogram2d(*moved(exact).T, bins=12, range=[[-1, 1], [-1, 1]])
    before, _, _ = np.histogram2d(*exact.T, bins=12, range=[[-1, 1], [-1, 1]])
    there = before + counts > 20
    assert stats.chi2_contingency([before[there], counts[there]]).pvalue > 1e-3


def test_moves_bring_whatever_there_is_nearer_to_the_target():
    action = 2 * torch.rand(DRAWS, 2, generator=torch.Generator().manual_seed(4)) - 1
    distances = [distance(action)]
    for _ in range(3):
        action = moved(action)
        distances.append(distance(action))
    assert distances == sorted(distances, reverse=True)


def test_a_fresh_sampler_knows_its_density():
    fresh = sampler([0], actions=2)
    noise = normal(1, 1, 500, 2)
    action, found = fresh.draw_with_density(torch.zeros(1, 1, 1, 1), noise)
    # a = tanh(c ξ), each axis alone: log p = log N(ξ) - log c - log(1 - a²).
    per_axis = -0.5 * noise**2 - 0.5 * math.log(2 * math.pi) - math.log(NEARLY_UNIFORM)
    expected = (per_axis - (1 - action**2).log()).sum(dim=-1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_one_candidate_is_the_draw_of_the_network():
    one = sampler([0, 1], actions=2, candidates=1)
    noise, state = normal(2, 50, 2), torch.zeros(2, 50, 1)
    sampled = one.sample(state, noise, lambda s, a: two_peaks(a), torch.ones(2))
    drawn = one.draw(state.unsqueeze(2), noise.unsqueeze(2)).squeeze(2)
    assert torch.equal(sampled, drawn)


DRAWS = 8000


def corrected(candidates):
    """Draws from exp(Q/α) of a sampler that prefers one of its peaks."""
    lopsided = sampler([0], actions=2, candidates=candidates)
    lopsided.weights[:, -2:] += 0.3
    noise = normal(1, DRAWS, 2)
    alpha = torch.tensor([TEMPERATURE])
    state = torch.zeros(1, DRAWS, 1)
    return lopsided.sample(state, noise, lambda s, a: two_peaks(a), alpha)[0]


def test_with_more_candidates_draws_come_nearer_to_the_target():
    distances = [distance(corrected(count)) for count in (1, 4, 32)]
    assert distances == sorted(distances, reverse=True)
    # Even exact draws are not at 0: 1600 cells share 8000 of them.
    counts = np.random.default_rng(0).multinomial(DRAWS, boltzmann())
    assert distances[-1] < 1.5 * total_variation(counts / DRAWS, boltzmann())
