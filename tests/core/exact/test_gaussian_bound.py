from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.exact.gaussian_bound import best_gaussian
from pipeline.core.exact.grid import GridOracle
from tests.core.exact.test_grid import arena

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(100)
NOISE = np.stack(np.meshgrid(NODES, NODES, indexing="ij"), axis=-1).reshape(-1, 2)
MASSES = np.outer(WEIGHTS, WEIGHTS).ravel() / WEIGHTS.sum() ** 2

ORIGIN = (0.0, 0.0)
SCALES = {10.0: 0, 1 / 0.3: 1, 1.0: 2}
REFERENCE = {
    ORIGIN: (0.12, 1.06, 1.50),
    (2.5, 2.5): (0.39, 0.77, 0.72),
    (-2.5, 0.0): (0.06, 0.06, 0.02),
}


class GaussianOracle:
    """Whose policy is one squashed Gaussian."""

    temperature = 2.0

    def __init__(self, mean, deviation):
        self.mean, self.deviation = np.array(mean), np.array(deviation)

    def value(self, state):
        return np.full(len(state), 7.0)

    def q(self, state, action):
        noise = (np.arctanh(action) - self.mean) / self.deviation
        volume = 1 - np.square(action)
        density = (-np.square(noise) / 2 - np.log(self.deviation * volume)).sum(axis=-1)
        return self.temperature * density + self.value(state)[:, None]


@cache
def solved(temperature):
    """On as many positions as the program had that the reference is from."""
    return GridOracle.solve(arena(), temperature, discount=0.99, spacing=0.1)


@cache
def best(temperature, state, *, cells=100):
    return best_gaussian(solved(temperature), np.array(state), cells=cells)


@settings(max_examples=5, deadline=None)
@given(st.tuples(*[st.floats(-0.8, 0.8)] * 2), st.tuples(*[st.floats(0.2, 0.8)] * 2))
def test_a_policy_of_one_gaussian_is_found(mean, deviation):
    found = best_gaussian(GaussianOracle(mean, deviation), np.zeros(2), cells=100)
    # Cells are .02 wide; at the edge of the box their middles are a poorer stand-in,
    # so that Gaussians further out than these are found .011 nats too far.
    assert found.reverse_kl == pytest.approx(0.0, abs=0.01)
    np.testing.assert_allclose(found.mean, mean, atol=0.05)
    np.testing.assert_allclose(found.deviation, deviation, atol=0.05)


@pytest.mark.parametrize("state", REFERENCE)
@pytest.mark.parametrize("temperature", SCALES)
def test_another_search_found_as_little(temperature, state):
    found = best(temperature, state)
    expected = REFERENCE[state][SCALES[temperature]]
    # Both are upper bounds; that one has two digits, and an integral of its own.
    assert found.reverse_kl == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("temperature", SCALES)
def test_the_divergence_is_that_of_an_integral_over_the_noise(temperature):
    oracle, here = solved(temperature), np.zeros((1, 2))
    found = best(temperature, ORIGIN)
    u = found.mean + found.deviation * NOISE
    advantage = oracle.q(here, np.tanh(u)[None])[0] - oracle.value(here)
    log_slope = 2 * (np.log(2) - u - np.logaddexp(0, -2 * u))
    width = np.log(found.deviation * np.sqrt(2 * np.pi)) + log_slope
    ratio = (-np.square(NOISE) / 2 - width).sum(axis=1) - advantage / temperature
    # The edge of a goal is between nodes of both rules: a hundredth of a nat.
    assert found.reverse_kl == pytest.approx(MASSES @ ratio, abs=0.01)


@pytest.mark.parametrize("temperature", [10.0, 1.0])
def test_more_cells_change_it_by_no_more_than_their_error(temperature):
    coarse, fine = (
        best(temperature, (2.5, 2.5), cells=cells).reverse_kl for cells in (100, 200)
    )
    # c/α h²/12 of the effort, and as much of whatever else is curved.
    assert coarse == pytest.approx(fine, abs=2 * 30 / temperature * 0.02**2 / 12)


def test_it_takes_one_goal_when_four_are_far_apart():
    found = best(1.0, ORIGIN)
    assert np.sort(np.abs(found.mean)) == pytest.approx([0.0, 1.26], abs=0.01)
    assert found.reverse_kl > np.log(4)  # three of four ways are missed


def test_the_same_search_has_the_same_bytes():
    one, other = best(1.0, ORIGIN), best_gaussian(solved(1.0), np.zeros(2), cells=100)
    assert one.reverse_kl == other.reverse_kl
    assert one.mean.tobytes() == other.mean.tobytes()
