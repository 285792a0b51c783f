import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.claims.rules import (
    Published,
    of_all_seeds,
    of_improvement,
    of_levels,
    of_ratios,
    of_shares,
)
from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.statistics.shares import seeds_to_tell
from tests.study.small import BOOTSTRAP, small


def sides(seeds):
    run = small().run("explore/ddpg")
    return [run, replace(run, seeds=tuple(range(seeds)))]


class TestEverySeed:
    @pytest.mark.parametrize(
        ("true", "seeds", "verdict", "needed"),
        [
            (5, 5, "reproduced", 5),
            (4, 4, "undecided", 5),
            (2, 5, "not reproduced", 5),
            (3, 5, "undecided", None),
        ],
    )
    def test_every_seed_is_needed_and_most_contradict(
        self, true, seeds, verdict, needed
    ):
        found = of_all_seeds(np.arange(seeds) < true, "it works")
        assert (found.verdict, found.needed) == (verdict, needed)


class TestImprovement:
    @pytest.mark.parametrize(
        ("low", "high", "seeds", "verdict"),
        [
            (0.6, 1.0, 5, "reproduced"),
            (1.0, 1.0, 4, "undecided"),
            (0.5, 0.9, 9, "undecided"),
            (0.1, 0.4, 5, "not reproduced"),
        ],
    )
    def test_the_interval_must_leave_one_half_out(self, low, high, seeds, verdict):
        interval = Interval((low + high) / 2, low, high)
        assert of_improvement([interval], sides(seeds), "P").verdict == verdict

    def test_of_several_intervals_one_below_decides(self):
        above, across, below = (Interval(x, x - 0.1, x + 0.1) for x in (0.7, 0.5, 0.3))

        def verdict(*intervals):
            return of_improvement(intervals, sides(5), "P").verdict

        assert verdict(above, above) == "reproduced"
        assert verdict(above, across) == "undecided"
        assert verdict(across, below) == "not reproduced"

    def test_no_number_of_seeds_tells_apart_what_is_always_alike(self):
        alike = Interval(0.5, 0.5, 0.5)
        assert of_improvement([alike], sides(5), "P").needed is None
        assert math.isinf(
            of_improvement([replace(alike, high=0.7)], sides(5), "P").needed
        )

    def test_as_many_seeds_as_are_named_decide_four_times_of_five(self):
        generator = np.random.default_rng(0)

        def interval(seeds, name):
            x, y = generator.normal([[0.8], [0.0]], size=(2, seeds))
            return BOOTSTRAP.probability_of_improvement(x, y, name)

        # From 20 seeds whose P is about the true .71, what decides?
        pilots = [interval(20, f"pilot {each}") for each in range(40)]
        usual = min(pilots, key=lambda one: abs(one.estimate - 0.714))
        run = replace(small().run("explore/ddpg"), seeds=tuple(range(20)))
        needed = of_improvement([usual], [run, run], "P").needed
        found = [interval(round(needed), f"{each}").low > 0.5 for each in range(200)]
        assert 0.65 <= np.mean(found) <= 0.95


class TestRatios:
    @pytest.mark.parametrize(
        ("centres", "seeds", "verdict"),
        [
            ([0.3, 0.4], 5, "reproduced"),
            ([0.3, 0.4], 4, "undecided"),
            ([0.3, 0.5], 5, "undecided"),
            ([0.3, 0.6], 5, "not reproduced"),
        ],
    )
    def test_every_interval_must_lie_below(self, centres, seeds, verdict):
        intervals = [Interval(x, x - 0.05, x + 0.05) for x in centres]
        found = of_ratios(intervals, sides(seeds)[1:], "ratio", at_most=0.5)
        assert found.verdict == verdict


class TestShares:
    PAPER = Published("100 % against 60 %", (1.0, 0.6))

    def found(self, first, second, seeds=30):
        count = np.arange(seeds)
        return of_shares(count < first, count < second, self.PAPER)

    def test_the_claimed_side_must_be_ahead_by_fishers_test(self):
        assert self.found(30, 18).verdict == "reproduced"
        assert self.found(18, 30).verdict == "not reproduced"
        assert self.found(20, 13).verdict == "undecided"

    def test_a_difference_surely_less_than_the_papers_is_none(self):
        assert self.found(30, 30).verdict == "not reproduced"
        assert self.found(20, 16).verdict == "not reproduced"
        assert self.found(5, 5, seeds=5).verdict == "undecided"

    def test_a_significant_difference_surely_less_than_the_papers_is_none(self):
        found = self.found(60, 50, seeds=60)  # 17 % [8 %, 28 %], p = .001
        assert found.intervals[0].low > 0
        assert found.verdict == "not reproduced"

    def test_fewer_than_five_seeds_decide_nothing(self):
        assert self.found(4, 0, seeds=4).verdict == "undecided"

    def test_what_decides_is_the_nearer_of_the_test_and_the_papers_difference(self):
        assert self.found(12, 6, seeds=16).needed == seeds_to_tell(3 / 4, 3 / 8)
        assert self.found(9, 8, seeds=10).needed < seeds_to_tell(0.9, 0.8)

    @pytest.mark.parametrize(("first", "second", "seeds"), [(5, 5, 6), (9, 8, 10)])
    def test_as_many_seeds_as_are_named_decide_four_times_of_five(
        self, first, second, seeds
    ):
        needed = math.ceil(self.found(first, second, seeds).needed)
        one, other = np.random.default_rng(0).random((2, 300, needed))
        decided = [
            of_shares(x < first / seeds, y < second / seeds, self.PAPER).verdict
            != "undecided"
            for x, y in zip(one, other, strict=True)
        ]
        assert 0.7 <= np.mean(decided) <= 0.95

    def test_what_is_undecided_needs_one_seed_more_at_least(self):
        half = np.arange(40) < 20  # the paper's shares would need 39 seeds
        found = of_shares(half, half, Published("100 % against 80 %", (1.0, 0.8)))
        assert found.verdict == "undecided"
        assert found.needed >= 41 > seeds_to_tell(1.0, 0.8)


class TestLevels:
    def verdict(self, high, low, seeds=6):
        one, other = (Interval(x, x - 0.05, x + 0.05) for x in (high, low))
        return of_levels(
            one, 0.8, other, 0.2, sides=sides(seeds)[1:], statistic="mean"
        ).verdict

    def test_both_intervals_must_be_on_their_side(self):
        assert self.verdict(0.9, 0.1) == "reproduced"
        assert self.verdict(0.9, 0.1, seeds=4) == "undecided"
        assert self.verdict(0.82, 0.1) == "undecided"
        assert self.verdict(0.9, 0.22) == "undecided"
        assert self.verdict(0.7, 0.1) == "not reproduced"
        assert self.verdict(0.9, 0.3) == "not reproduced"
