"""Claims about steps to a threshold return, on runs that get there when told."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.claims.base import Evidence
from pipeline.study.claims.judge import judge
from tests.study.small import BOOTSTRAP, small

NEVER = np.inf
SOON = [100, 200, 100, 100, 200, 100, 100, 100]
LATE = [1000, 900, 1100, 1000, 1200, 900, 1000, 1100]
BUDGET = 2000


def run(id, reached, *, budget=BUDGET, failed=()):
    """A run whose seeds have a return of 1 from these steps on, and 0 before."""
    seeds = tuple(range(len(reached)))
    one = replace(small().run(id), seeds=seeds, steps=budget)
    steps = np.arange(0, budget + 1, 100)
    returns = np.array(reached)[:, None] <= steps
    vars(one)["final"] = {"return": returns[:, -1].astype(float)}
    vars(one)["_records"] = {
        "seed": np.repeat(seeds, len(steps)),
        "step": np.tile(steps, len(seeds)),
        "evaluation/return": returns.ravel().astype(float),
    }
    vars(one)["failures"] = dict.fromkeys(failed, 0)
    return one


def tuned(reached, **said):
    return run("finetune/sql_from_sql", reached, **said)


def judged(*runs, threshold=0.5):
    fixed = {runs[0].task_name: threshold}
    evidence = Evidence(runs, (), (), BOOTSTRAP, threshold_returns=fixed)
    return [claim for claim in judge(evidence) if "specific task" in claim.statement]


class TestHalfTheSteps:
    def claim(self, own, *others):
        claim = judged(own, *others)[0]
        assert "at most half the steps" in claim.statement
        return claim

    @pytest.mark.parametrize(
        ("own", "verdict"),
        [
            (SOON, "reproduced"),
            ([500] * 8, "undecided"),
            ([800] * 8, "not reproduced"),
            (LATE, "not reproduced"),
        ],
    )
    def test_the_ratio_must_be_surely_below_one_half(self, own, verdict):
        claim = self.claim(tuned(own), run("scratch/sql", [1000] * 8))
        assert claim.verdict == verdict
        assert "fixed beforehand in params.yaml" in claim.rule

    def test_every_comparator_must_be_that_much_slower(self):
        slow, quick = run("scratch/sql", LATE), run("scratch/ddpg", [100] * 8)
        assert self.claim(tuned(SOON), slow).verdict == "reproduced"
        claim = self.claim(tuned(SOON), slow, quick)
        assert claim.verdict == "not reproduced"
        assert claim.runs == ("finetune/sql_from_sql", "scratch/sql", "scratch/ddpg")
        assert len(claim.intervals) == 2

    def test_a_comparator_that_never_got_there_needed_its_budget_at_least(self):
        never = run("scratch/sql", [NEVER] * 8)
        assert self.claim(tuned(SOON), never).verdict == "reproduced"
        claim = self.claim(tuned([1500] * 8), never)
        assert claim.verdict == "undecided"
        assert claim.to_decide.startswith("a longer budget of the comparators would")

    def test_a_short_budget_does_not_speak_for_who_never_got_there(self):
        own, other = tuned([NEVER] * 8, budget=300), run("scratch/sql", LATE)
        assert self.claim(own, other).verdict == "not reproduced"

    def test_seeds_of_a_comparator_that_failed_do_not_speak_for_it(self):
        other = run("scratch/sql", LATE, failed=range(8))
        assert self.claim(tuned(SOON), other).verdict == "not reproduced"

    def test_who_is_there_before_any_step_has_a_ratio(self):
        other = run("scratch/sql", [1000] * 8)
        assert self.claim(tuned([0] * 8), other).intervals[0].estimate == 0.001
        both = self.claim(tuned([0] * 8), run("scratch/sql", [0] * 8))
        assert both.intervals[0].estimate == 1


class TestFewerSteps:
    def claim(self, own, other):
        (claim,) = (one for one in judged(own, other) if "fewer steps" in one.statement)
        return claim

    def test_steps_are_compared_within_the_shorter_budget(self):
        other = run("scratch/sql", LATE)
        never, soon = (tuned(x, budget=500) for x in ([NEVER] * 8, SOON))
        claim = self.claim(never, other)
        assert (claim.verdict, claim.intervals[0].estimate) == ("undecided", 0.5)
        assert self.claim(soon, other).verdict == "reproduced"

    @pytest.mark.parametrize(
        ("pretrained", "fresh", "verdict"),
        [
            (LATE, SOON, "reproduced"),
            (SOON, LATE, "not reproduced"),
            (LATE, LATE, "undecided"),
        ],
    )
    def test_a_poor_start_is_one_from_which_ddpg_needs_more_steps(
        self, pretrained, fresh, verdict
    ):
        claim = self.claim(
            run("finetune/ddpg_from_ddpg", pretrained), run("scratch/ddpg", fresh)
        )
        assert claim.verdict == verdict
        assert claim.statement.startswith("A policy pretrained by DDPG is a poor start")
        assert claim.runs == ("scratch/ddpg", "finetune/ddpg_from_ddpg")
