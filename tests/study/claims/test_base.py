from dataclasses import replace

import numpy as np

from pipeline.study.claims.base import of_all, of_all_seeds, of_improvement
from pipeline.study.statistics.bootstrap import Interval
from tests.study.small import small


def test_a_claim_about_every_seed_needs_every_seed():
    assert of_all_seeds(np.full(5, True)) == "reproduced"
    assert of_all_seeds(np.full(4, True)) == "undecided"
    assert of_all_seeds(np.arange(5) < 2) == "not reproduced"
    assert of_all_seeds(np.arange(5) < 3) == "undecided"


def test_an_improvement_needs_an_interval_off_one_half():
    def verdict(low, high, seeds=5):
        run = small().run("explore/ddpg")
        sides = run, replace(run, seeds=tuple(range(seeds)))
        return of_improvement(Interval((low + high) / 2, low, high), *sides)

    assert verdict(0.6, 1.0) == "reproduced"
    assert verdict(1.0, 1.0, seeds=4) == "undecided"
    assert verdict(0.5, 0.9, seeds=9) == "undecided"
    assert verdict(0.1, 0.4) == "not reproduced"


def test_of_several_parts_one_that_fails_decides():
    assert of_all(["reproduced", "reproduced"]) == "reproduced"
    assert of_all(["reproduced", "undecided"]) == "undecided"
    assert of_all(["undecided", "not reproduced"]) == "not reproduced"
