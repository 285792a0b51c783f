from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.claims.base import of_all, of_all_seeds, of_improvement
from pipeline.study.statistics.bootstrap import Interval
from tests.study.small import small


def test_a_claim_about_every_seed_needs_every_seed():
    assert of_all_seeds(np.full(5, True)) == "reproduced"
    assert of_all_seeds(np.full(4, True)) == "undecided"
    assert of_all_seeds(np.arange(5) < 2) == "not reproduced"
    assert of_all_seeds(np.arange(5) < 3) == "undecided"


@pytest.mark.parametrize(
    ("low", "high", "seeds", "verdict"),
    [
        (0.6, 1.0, 5, "reproduced"),
        (1.0, 1.0, 4, "undecided"),
        (0.5, 0.9, 9, "undecided"),
        (0.1, 0.4, 5, "not reproduced"),
    ],
)
def test_an_improvement_needs_an_interval_off_one_half(low, high, seeds, verdict):
    run = small().run("explore/ddpg")
    sides = run, replace(run, seeds=tuple(range(seeds)))
    assert of_improvement(Interval((low + high) / 2, low, high), *sides) == verdict


def test_of_several_parts_one_that_fails_decides():
    assert of_all(["reproduced", "reproduced"]) == "reproduced"
    assert of_all(["reproduced", "undecided"]) == "undecided"
    assert of_all(["undecided", "not reproduced"]) == "not reproduced"
