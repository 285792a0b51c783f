"""When to stop sweeping."""

import numpy as np
import pytest

from pipeline.core.exact.iteration import bracketed, settled

CHAIN = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.3, 0.7]])
REWARD = np.array([1.0, -2.0, 5.0])
DISCOUNT = 0.99


def sweeps(goes_on):
    v = np.zeros(3)
    while True:
        yield v
        v = REWARD + DISCOUNT * CHAIN @ (goes_on * v)


def counted(sweeps, counts):
    for v in sweeps:
        counts.append(1)
        yield v


@pytest.mark.parametrize("goes_on", [np.ones(3), np.array([1.0, 1.0, 0.0])])
def test_bounds_of_a_sweep_hold_the_fixed_point(goes_on):
    exact = np.linalg.solve(np.eye(3) - DISCOUNT * CHAIN * goes_on, REWARD)
    ends = not goes_on.all()
    for tolerance in (1.0, 1e-3, 1e-6):
        v = bracketed(
            sweeps(goes_on), horizon=100.0, tolerance=tolerance, ends=ends, where=None
        )
        assert np.abs(v - exact).max() <= tolerance + 1e-10


def test_what_all_entries_have_in_common_is_not_waited_for():
    slow, fast = [], []
    settled(counted(sweeps(1.0), slow), horizon=100.0, tolerance=1e-6)
    bracketed(
        counted(sweeps(1.0), fast),
        horizon=100.0,
        tolerance=1e-6,
        ends=False,
        where=None,
    )
    assert 10 * len(fast) < len(slow)


def test_entries_that_do_not_matter_delay_nothing():
    def with_another(steady):
        for v in sweeps(1.0):
            steady = 1.0 + DISCOUNT * steady
            yield np.append(v, steady)

    where = np.array([True, True, True, False])
    own = bracketed(sweeps(1.0), horizon=100.0, tolerance=1e-6, ends=False, where=None)
    seen = bracketed(
        with_another(0.0), horizon=100.0, tolerance=1e-6, ends=False, where=where
    )
    np.testing.assert_array_equal(seen[:3], own)
