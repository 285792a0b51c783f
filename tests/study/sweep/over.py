"""Trials of a search that are over, to copy."""

from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.trials import Trial
from pipeline.study.sweep.work import Outcome
from tests.study import fakes
from tests.study.checked import said

CHOICES = {
    "temperature.fixed": {"log_uniform": [0.1, 30.0]},
    "hidden": {"choice": [[8], [8, 8]]},
}


def plan(**changes) -> SweepPlan:
    study = fakes.study(**{"sweep__runs__sql__space": CHOICES} | changes)
    return SweepPlan(said(study, "sweep", "sql"))


def over(count: int) -> dict[int, Trial]:
    """Trials that are over; of four, one is pruned and one has failed."""
    return {number: trial(number) for number in range(count)}


def trial(number: int) -> Trial:
    alpha = 0.1 + number
    params = {"hidden": "[8, 8]" if number % 2 else "[8]", "temperature.fixed": alpha}
    curve = {1: [0.5, 0.7], 2: [alpha, alpha]}
    ended = {
        1: Outcome(curve, [], "PRUNED", "at step 2: 1, below 2"),
        2: Outcome(curve, [], "FAIL", "seed 100 stopped at step 3: it diverged"),
    }.get(number % 4, Outcome(curve, [alpha, alpha], "COMPLETE", ""))
    return Trial.of(number, params, ended, "mean")
