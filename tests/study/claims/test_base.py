from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.claims.base import of_all, of_all_seeds, of_improvement
from pipeline.study.statistics.bootstrap import Interval
from tests.study.small import small


@pytest.mark.parametrize(
    ("true", "verdict"),
    [
        ([True] * 5, "reproduced"),
        ([True] * 4, "undecided"),
        ([False] * 3 + [True] * 2, "not reproduced"),
        ([False] * 2 + [True] * 3, "undecided"),
    ],
)
def test_a_claim_about_every_seed_needs_every_seed(true, verdict):
    assert of_all_seeds(np.array(true)) == verdict


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


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["reproduced"] * 2, "reproduced"),
        (["reproduced", "undecided"], "undecided"),
        (["reproduced", "not reproduced"], "not reproduced"),
        (["undecided", "not reproduced"], "not reproduced"),
    ],
)
def test_of_several_parts_one_that_fails_decides(verdicts, verdict):
    assert of_all(verdicts) == verdict
