import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pipeline.core.judging.interquartile import interquartile_mean
from pipeline.study.statistics.bootstrap import Bootstrap, Interval

BOOTSTRAP = Bootstrap(seed=7, resamples=500, confidence=0.95)

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
samples = st.integers(1, 12).flatmap(lambda n: arrays(float, n, elements=numbers))
grades = arrays(float, st.integers(1, 8), elements=st.integers(0, 3).map(float))


class TestInterquartileMean:
    def test_is_the_mean_of_the_middle_half(self):
        assert interquartile_mean([100.0, 1.0, 2.0, -100.0]) == 1.5

    def test_of_three_values_is_their_mean(self):
        assert interquartile_mean([0.0, 0.0, 3.0]) == 1.0

    def test_takes_the_last_axis(self):
        np.testing.assert_array_equal(
            interquartile_mean([[1.0, 3.0], [5.0, 7.0]]), [2.0, 6.0]
        )

    @given(samples)
    def test_lies_within_the_values_whatever_their_order(self, values):
        iqm = interquartile_mean(values)
        slack = 1e-9 * (1 + np.abs(values).max())
        assert values.min() - slack <= iqm <= values.max() + slack
        assert iqm == pytest.approx(interquartile_mean(values[::-1]), abs=slack)

    @given(samples, numbers)
    def test_moves_with_the_values(self, values, shift):
        moved = interquartile_mean(values + shift)
        assert moved == pytest.approx(interquartile_mean(values) + shift, abs=1e-6)

    def test_of_many_values_is_the_integral_between_the_quartiles(self):
        values = stats.expon.ppf((np.arange(100_000) + 0.5) / 100_000)
        # ∫ -log(1 - p) dp from 1/4 to 3/4, times 2
        expected = 2 * (0.5 + 0.25 * np.log(0.25) - 0.75 * np.log(0.75))
        assert interquartile_mean(values) == pytest.approx(expected, abs=1e-5)


def probability_of_improvement(x, y):
    return BOOTSTRAP.probability_of_improvement(x, y, "x").estimate


class TestProbabilityOfImprovement:
    def test_counts_pairs_that_win(self):
        assert probability_of_improvement([1.0, 3.0], [0.0, 2.0]) == 0.75

    def test_counts_ties_half(self):
        assert probability_of_improvement([1.0, 1.0], [1.0]) == 0.5

    def test_counts_seeds_within_the_margin_as_ties(self):
        found = BOOTSTRAP.probability_of_improvement(
            [0.96, 0.99, 0.7], [0.95], "x", margin=0.05
        )
        assert found.estimate == pytest.approx(1 / 3)

    @given(grades, grades)
    def test_of_both_sides_sums_to_one(self, x, y):
        both = probability_of_improvement(x, y) + probability_of_improvement(y, x)
        assert both == pytest.approx(1)

    @given(grades, grades)
    def test_is_the_mann_whitney_statistic(self, x, y):
        u = stats.mannwhitneyu(x, y, method="asymptotic").statistic
        expected = u / (len(x) * len(y))
        assert probability_of_improvement(x, y) == pytest.approx(expected)


class TestRatio:
    def test_it_is_one_of_equals_and_a_half_of_what_is_half_as_large(self):
        x = np.array([2.0, 3.0, 4.0, 5.0])
        assert BOOTSTRAP.ratio([3.0] * 4, [3.0] * 4, "x") == Interval(1, 1, 1)
        found = BOOTSTRAP.ratio(x, 2 * x, "x")
        assert found.estimate == pytest.approx(0.5)
        assert found.low < 0.5 < found.high


class TestBootstrap:
    def test_equals_scipy_when_it_draws_the_same_resamples(self, monkeypatch):
        values = np.random.default_rng(0).normal(size=9)
        expected = stats.bootstrap(
            (values,),
            lambda x, axis: stats.trim_mean(x, 0.25, axis=axis),
            n_resamples=500,
            method="percentile",
            rng=np.random.default_rng(1),
        ).confidence_interval
        monkeypatch.setattr(
            "pipeline.study.statistics.bootstrap.stream",
            lambda *_: np.random.default_rng(1),
        )
        interval = BOOTSTRAP.interquartile_mean(values, "any")
        assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-12)

    def test_repeats_with_the_same_seed_and_differs_with_another(self):
        values = np.arange(6.0) ** 2
        first = BOOTSTRAP.interquartile_mean(values, "score")
        assert first == BOOTSTRAP.interquartile_mean(values, "score")
        assert first.estimate == interquartile_mean(values)
        other = Bootstrap(seed=8, resamples=500, confidence=0.95)
        values = np.random.default_rng(0).normal(size=50)
        assert other.interquartile_mean(values, "score") != (
            BOOTSTRAP.interquartile_mean(values, "score")
        )

    def test_leaves_the_global_generator_alone(self):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        BOOTSTRAP.interquartile_mean(np.arange(6.0), "score")
        after = np.random.get_state()[1]  # noqa: NPY002
        np.testing.assert_array_equal(after, before)

    def test_of_one_seed_is_a_point(self):
        interval = BOOTSTRAP.interquartile_mean([3.0], "score")
        assert interval == Interval(3.0, 3.0, 3.0)

    @given(arrays(float, st.integers(1, 9), elements=numbers))
    def test_holds_values_that_were_seen(self, values):
        interval = BOOTSTRAP.interquartile_mean(values, "score")
        slack = 1e-9 * (1 + np.abs(values).max())
        assert values.min() - slack <= interval.low <= interval.high
        assert interval.high <= values.max() + slack

    def test_is_wider_with_more_confidence(self):
        values = np.random.default_rng(0).normal(size=8)
        wide = Bootstrap(seed=7, resamples=500, confidence=0.99)
        narrow = BOOTSTRAP.interquartile_mean(values, "score")
        wider = wide.interquartile_mean(values, "score")
        assert wider.low < narrow.low < narrow.high < wider.high

    def test_draws_the_same_seeds_at_every_step_of_a_curve(self):
        values = np.random.default_rng(0).normal(size=6)
        first = BOOTSTRAP.interquartile_mean(values, "return")
        second = BOOTSTRAP.interquartile_mean(values + 1, "return")
        assert second.low - first.low == pytest.approx(1)
        assert second.high - first.high == pytest.approx(1)

    def test_of_improvement_is_a_point_when_every_seed_wins(self):
        interval = BOOTSTRAP.probability_of_improvement([3.0, 4.0], [1.0, 2.0], "x")
        assert interval == Interval(1.0, 1.0, 1.0)

    def test_of_improvement_contains_one_half_for_equal_sides(self):
        values = np.arange(6.0)
        interval = BOOTSTRAP.probability_of_improvement(values, values, "x")
        assert interval.estimate == 0.5
        assert interval.low < 0.5 < interval.high

    @given(grades, grades)
    def test_of_improvement_is_a_probability(self, x, y):
        interval = BOOTSTRAP.probability_of_improvement(x, y, "x")
        assert 0 <= interval.low <= interval.high <= 1

    def test_refuses_values_that_are_not_numbers(self):
        with pytest.raises(ValueError, match="not a number"):
            BOOTSTRAP.interquartile_mean([1.0, np.nan], "score")

    def test_refuses_no_values(self):
        with pytest.raises(ValueError, match="no value"):
            BOOTSTRAP.interquartile_mean([], "score")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "normal", "exponential"),
    [(3, 0.75, 0.75), (5, 0.89, 0.90), (6, 0.91, 0.90), (10, 0.93, 0.94)],
)
def test_intervals_cover_as_often_as_the_documentation_says(seeds, normal, exponential):
    """2000 experiments: the share is within ±.03 with near certainty."""
    generator = np.random.default_rng(seeds)
    bootstrap = Bootstrap(seed=7, resamples=1000, confidence=0.95)
    iqm = 2 * (0.5 + 0.25 * np.log(0.25) - 0.75 * np.log(0.75))
    for draw, truth, documented in [
        (generator.standard_normal, 0.0, normal),
        (generator.standard_exponential, iqm, exponential),
    ]:
        intervals = [
            bootstrap.interquartile_mean(draw(seeds), str(experiment))
            for experiment in range(2000)
        ]
        covered = np.mean([one.low <= truth <= one.high for one in intervals])
        assert covered == pytest.approx(documented, abs=0.03)
