import math

import numpy as np
import pytest

from pipeline.study.statistics.shares import (
    MOST_SEEDS,
    Shares,
    fisher,
    power,
    seeds_to_tell,
    share,
)


@pytest.mark.parametrize(
    ("table", "p"),
    [
        (Shares(3, 4, 1, 4), 34 / 70),  # Fisher's lady who tastes tea, two-sided
        (Shares(1, 10, 11, 14), 0.0027594562),
        (Shares(10, 10, 0, 10), 2 / 184756),
        (Shares(5, 5, 5, 5), 1.0),
    ],
)
def test_fishers_test_has_the_p_of_known_tables(table, p):
    assert table.p == pytest.approx(p, rel=1e-6)


def test_every_outcome_has_the_p_that_scipy_finds():
    from scipy.stats import fisher_exact

    expected = [
        [fisher_exact([[x, 9 - x], [y, 6 - y]]).pvalue for y in range(7)]
        for x in range(10)
    ]
    np.testing.assert_allclose(fisher(9, 6), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        (Shares(56, 70, 48, 80), 0.0524, 0.3339),
        (Shares(9, 10, 3, 10), 0.1705, 0.8090),
        (Shares(6, 7, 2, 7), 0.0582, 0.8062),
        (Shares(5, 56, 0, 29), -0.0381, 0.1926),
        (Shares(0, 10, 0, 20), -0.1611, 0.2775),
        (Shares(0, 10, 0, 10), -0.2775, 0.2775),
        (Shares(10, 10, 0, 20), 0.6791, 1.0),
        (Shares(10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_has_the_interval_of_newcombes_table(table, low, high):
    assert table.difference.low == pytest.approx(low, abs=5e-5)
    assert table.difference.high == pytest.approx(high, abs=5e-5)


def test_a_share_has_wilsons_interval_which_stays_within_zero_and_one():
    assert share(81, 263).low == pytest.approx(0.2553, abs=5e-5)  # Newcombe's example
    assert share(81, 263).high == pytest.approx(0.3662, abs=5e-5)
    assert share(0, 10).low == 0.0
    assert share(10, 10).high == 1.0


def test_shares_are_counted_over_the_seeds_of_either_side():
    assert Shares.of(np.arange(6) < 4, np.full(3, True)) == Shares(4, 6, 3, 3)


def test_the_power_is_how_often_the_test_finds_the_difference():
    generator = np.random.default_rng(0)
    one, other = (generator.binomial(12, p, 20_000) for p in (0.9, 0.4))
    found = (fisher(12, 12)[one, other] < 0.05) & (one > other)
    assert power(0.9, 0.4, 12) == pytest.approx(found.mean(), abs=0.01)


@pytest.mark.parametrize(("first", "second"), [(1.0, 0.8), (1.0, 0.6), (0.7, 0.2)])
def test_seeds_that_tell_shares_apart_are_just_enough(first, second):
    seeds = seeds_to_tell(first, second)
    assert power(first, second, seeds) >= 0.8 > power(first, second, seeds - 1)


def test_shares_that_are_nearly_alike_need_more_seeds_than_anybody_trains():
    assert power(0.5, 0.48, MOST_SEEDS) < 0.2
    assert math.isinf(seeds_to_tell(0.5, 0.48))
