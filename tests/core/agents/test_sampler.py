"""The amortised Stein sampler alone: a fixed Q with two peaks, no environment."""

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, stats

from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.stein import NEARLY_UNIFORM, SteinSampler
from tests.core.configs import ALGORITHMS

TEMPERATURE = 0.5
WIDTH = 0.06
BINS = 40
"""Per axis of the box [-1, 1]²: the densities are compared cell by cell."""


def two_peaks(action):
    """Q(a) with equal peaks at ±(0.5, 0.5), in reward units."""
    right = -(action - 0.5).square().sum(dim=-1) / WIDTH
    left = -(action + 0.5).square().sum(dim=-1) / WIDTH
    return TEMPERATURE * torch.logaddexp(left, right)


def cells():
    edges = torch.linspace(-1, 1, BINS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    return torch.cartesian_prod(centres, centres)


def boltzmann():
    """Probability of each cell under exp(Q/α)."""
    return torch.softmax(two_peaks(cells()) / TEMPERATURE, dim=0).numpy()


def total_variation(p, q):
    return 0.5 * np.abs(p - q).sum()


def distance(actions):
    """Total variation between a sample's shares of the cells and exp(Q/α)."""
    counts, _, _ = np.histogram2d(
        *actions.numpy().T, bins=BINS, range=[[-1, 1], [-1, 1]]
    )
    return total_variation((counts / counts.sum()).flatten(), boltzmann())


def best_gaussian():
    """The least total variation of one squashed Gaussian of any covariance."""
    target, pre_squash = boltzmann(), torch.atanh(cells()).numpy()
    log_det = np.log(1 - cells().numpy() ** 2).sum(axis=1)

    def distance(parameters):
        x, y, log_along, log_across, angle = parameters
        cosine, sine = np.cos(angle), np.sin(angle)
        centred = (pre_squash - [x, y]) @ np.array([[cosine, -sine], [sine, cosine]])
        noise = centred / np.exp([log_along, log_across])
        density = np.exp(-0.5 * (noise**2).sum(axis=1) - log_det)
        return total_variation(density / density.sum(), target)

    starts = [
        (at, at, np.log(along), np.log(0.2), angle)
        for at in (0.0, 0.5)
        for along in (0.2, 1.0)
        for angle in (np.pi / 4, -np.pi / 4)
    ]
    found = [optimize.minimize(distance, x, method="Nelder-Mead") for x in starts]
    return min(result.fun for result in found)


def sampler(seeds, *, actions, candidates=1, rate=3e-3, states=16):
    config = ALGORITHMS["sql"] | {
        "hidden": (64, 64),
        "learning_rate": {"q": 1e-3, "policy": rate, "constant": 1.0},
        "batch": states,
        "particles": {"states": states, "fixed": 16, "updated": 16},
        "candidates": candidates,
    }
    return SteinSampler(
        [Sql.model_validate(config)] * len(seeds),
        Setting(tuple(seeds), states=1, actions=actions, discount=0.9),
    )


def fit(sampler, q, *, members, updates):
    state = torch.zeros(members, 32, 1)
    temperature = torch.full((members,), TEMPERATURE)
    for index in range(updates):
        noise = sampler.noise.at(index)
        sampler.learn(state, lambda s, a: q(a), temperature=temperature, noise=noise)


def flat(action):
    return 0.0 * action.sum(dim=-1)


def draw(sampler, *, members, actions, count):
    """Actions [member, count, action]."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(members, 1, count, actions, generator=generator)
    return sampler.draw(torch.zeros(members, 1, 1, 1), noise)[:, 0]


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("members", "updates", "learning", "share"),
    [
        (4, 400, {}, 0.7),
        pytest.param(
            10, 2500, {"rate": 1e-3, "states": 32}, 0.5, marks=pytest.mark.long
        ),
    ],
)
def test_the_median_distance_is_a_share_of_the_best_single_gaussians(
    members, updates, learning, share
):
    learned = sampler(range(members), actions=2, **learning)
    fit(learned, two_peaks, members=members, updates=updates)
    distances = []
    for actions in draw(learned, members=members, actions=2, count=40_000):
        on_the_right = (actions.sum(dim=1) > 0).float().mean().item()
        assert 0.25 < on_the_right < 0.75  # no seed loses a peak
        distances.append(distance(actions))
    assert np.median(distances) <= share * best_gaussian()


@pytest.mark.usefixtures("unchecked")
def test_with_a_flat_q_it_fills_the_box_evenly():
    # exp(0) is uniform on [-1, 1]: standard deviation 1/√3 = 0.577. With the squash
    # term in the wrong space it would be 0.447.
    learned = sampler([0], actions=1)
    fit(learned, flat, members=1, updates=300)
    deviation = draw(learned, members=1, actions=1, count=20_000).std().item()
    assert abs(deviation - 1 / np.sqrt(3)) < 0.04


def test_a_fresh_sampler_draws_almost_uniformly_everywhere():
    fresh = sampler([0], actions=2)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 3, 50_000, 2, generator=generator)
    state = torch.tensor([-5.0, 0.0, 5.0]).view(1, 3, 1, 1)
    for actions in fresh.draw(state, noise)[0].numpy():
        counts, _, _ = np.histogram2d(*actions.T, bins=10, range=[[-1, 1], [-1, 1]])
        share = counts / counts.sum()
        # 2 · 0.0095 nats, of which cells can only lose some, and (cells - 1) / 2n.
        divergence = (share * np.log(share * share.size)).sum()
        assert divergence < 2 * 0.0096 + 99 / 100_000


def test_the_constant_is_the_one_nearest_to_uniform():
    def divergence(c):
        """KL of tanh(c ξ) from the uniform density on [-1, 1], in nats."""

        def integrand(x):
            log_density = stats.norm.logpdf(x) - np.log(c) + 2 * np.log(np.cosh(c * x))
            return stats.norm.pdf(x) * (log_density + np.log(2))

        return integrate.quad(integrand, -9, 9)[0]

    found = optimize.minimize_scalar(divergence, bounds=(0.5, 1.2), method="bounded")
    assert pytest.approx(found.x, abs=1e-3) == NEARLY_UNIFORM
    assert found.fun == pytest.approx(0.0095, abs=1e-4)
