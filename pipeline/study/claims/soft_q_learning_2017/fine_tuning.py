"""Fine-tuning, section 5.3: how soon a pretrained policy does a specific task."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.study.claims.base import Claim, Evidence, improvement
from pipeline.study.claims.rules import (
    Judgement,
    Published,
    of_improvement,
    of_ratios,
)
from pipeline.study.statistics.bootstrap import Floats
from pipeline.study.statistics.comparators import comparators
from pipeline.study.statistics.numbers import number
from pipeline.study.statistics.threshold import (
    FIXED,
    HALF_WAY,
    StepsToThreshold,
    steps_to_return,
    threshold_returns,
)
from pipeline.study.store.runs import Run

SOURCE: Final = "Haarnoja et al. 2017, section 5.3, Figures 4 and 5"
CURVES: Final = Published("no number there, curves of returns")
FACTOR: Final = Published("no number there, curves of returns; the half is our own")
WORDS: Final = Published("no number there, in words and curves of returns")

HALF: Final = 0.5
"""Share of a comparator's steps that pretraining should leave."""
FIRST_STEP: Final = 1
"""As which it counts in a ratio to have been there before it."""
MOST_UNKNOWN: Final = 0.25
"""Share of seeds that may not have got there: an IQM leaves out so many at its end."""

SLOWER: Final = {
    ("scratch", "ddpg"): "DDPG learns from scratch",
    ("finetune", "ddpg"): "pretrained DDPG learns",
    ("scratch", "sql"): "soft Q-learning learns from scratch",
}
"""Stage and kind of whom pretrained soft Q-learning should be faster than."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim that the study has runs of `finetune` for."""
    thresholds = threshold_returns(evidence.runs, evidence.threshold_returns)
    for run in evidence.runs:
        if run.stage != "finetune" or run.task_name not in thresholds:
            continue
        threshold, others = thresholds[run.task_name], comparators(run, evidence.runs)
        if run.algorithm.kind == "sql" and others:
            yield _half_the_steps(evidence, run, others, threshold)
            for other in others:
                slower = SLOWER[other.stage, other.algorithm.kind]
                statement = (
                    "Pretrained soft Q-learning learns a specific task in fewer steps "
                    f"than {slower}."
                )
                yield _faster(evidence, (run, other), threshold, statement, CURVES)
        if run.algorithm.kind == "ddpg":
            for other in (other for other in others if other.stage == "scratch"):
                statement = (
                    "A policy pretrained by DDPG is a poor start: DDPG learns a "
                    "specific task in fewer steps from scratch."
                )
                yield _faster(evidence, (other, run), threshold, statement, WORDS)


def _faster(
    evidence: Evidence,
    sides: tuple[Run, Run],
    threshold: float,
    statement: str,
    published: Published,
) -> Claim:
    """That a run needs fewer steps to the threshold return than another.

    Both within the shorter of their budgets: what came later is not known of both.
    """
    steps = [steps_to_return(run, threshold) for run in sides]
    budget = min(each.budget for each in steps)
    x, y = (-each.within(budget) for each in steps)
    name = f"{sides[0].id}>{sides[1].id}/steps_to_return"
    interval = improvement(evidence, sides, x, y, name)
    statistic = f"P(fewer steps to a return of {threshold:.3g})"
    return evidence.claim(
        SOURCE,
        statement,
        _whence(evidence, of_improvement([interval], sides, statistic), sides[0]),
        sides,
        published=published,
        measured=f"{statistic} = {interval.text()}; "
        f"median steps {_median(steps[0])} against {_median(steps[1])}",
    )


def _half_the_steps(
    evidence: Evidence, run: Run, others: Sequence[Run], threshold: float
) -> Claim:
    """That a run needs at most half the steps of whoever is the fastest of others.

    The fastest is not chosen first, which would favour it by chance: the run has to be
    that much faster than each of them.
    """
    own = steps_to_return(run, threshold)
    theirs = [steps_to_return(other, threshold) for other in others]
    intervals = [
        evidence.bootstrap.ratio(
            np.maximum(FIRST_STEP, _at_least(own, steps)),
            np.maximum(FIRST_STEP, np.where(other.failed, 0, steps.counted)),
            f"{run.id}/{other.id}/steps_to_return",
        )
        for other, steps in zip(others, theirs, strict=True)
    ]
    sides, statistic = [run, *others], f"ratio of steps to a return of {threshold:.3g}"
    found = of_ratios(intervals, sides, statistic, at_most=HALF)
    ratios = ", ".join(
        f"{interval.text()} of those of {other.id}"
        for other, interval in zip(others, intervals, strict=True)
    )
    return evidence.claim(
        SOURCE,
        "Pretrained soft Q-learning learns a specific task in at most half the steps "
        "of any comparator.",
        _whence(evidence, _unless_cut(found, others, theirs), run),
        sides,
        published=FACTOR,
        measured=f"interquartile means of steps are {ratios}; "
        f"median steps {_median(own)} against {', '.join(map(_median, theirs))}",
    )


def _at_least(own: StepsToThreshold, other: StepsToThreshold) -> Floats:
    """Steps of each seed; no shorter budget speaks for one that never got there."""
    longer = max(own.budget, other.budget)
    return np.where(np.isnan(own.steps), longer, own.steps)


def _unless_cut(
    found: Judgement, others: Sequence[Run], theirs: Sequence[StepsToThreshold]
) -> Judgement:
    """The judgement, but undecided where only the end of a budget speaks against it.

    A comparator that never got there needs more steps than were counted.
    """
    rule = (
        f"{found.rule}; one above says nothing where more than {MOST_UNKNOWN:.0%} of "
        "the comparator's seeds never got there"
    )
    against = [
        (np.isnan(steps.steps) & ~other.failed).mean() <= MOST_UNKNOWN
        for other, steps, interval in zip(others, theirs, found.intervals, strict=True)
        if interval.low > HALF
    ]
    if found.verdict != "not reproduced" or any(against):
        return replace(found, rule=rule)
    longer = "a longer budget of the comparators would, not more seeds"
    return replace(found, rule=rule, verdict="undecided", needed=None, without=longer)


def _whence(evidence: Evidence, found: Judgement, run: Run) -> Judgement:
    """The judgement by a threshold return, and whence that is."""
    fixed = run.task_name in evidence.threshold_returns
    whence = FIXED if fixed else HALF_WAY
    return replace(found, rule=f"{found.rule}; the threshold return is {whence}")


def _median(steps: StepsToThreshold) -> str:
    """`4 000 (6 of 6 seeds)`; a seed that never got there counts as its budget."""
    reached = int((~np.isnan(steps.steps)).sum())
    median = number(float(np.median(steps.counted)), 0)
    return f"{median} ({reached} of {len(steps.steps)} seeds)"
