"""The rules of verdicts, which are the same for all claims.

Each says in a sentence when a claim is `reproduced` and when it is `not reproduced`.
All else is `undecided`, and so is whatever has fewer than five seeds. It also says how
many seeds a side would probably decide, if what was measured is the truth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.statistics.shares import SIGNIFICANT, Shares, seeds_to_tell, share
from pipeline.study.store.runs import Run

Verdict: TypeAlias = Literal["reproduced", "not reproduced", "undecided"]
Bools: TypeAlias = npt.NDArray[np.bool_]

FEWEST_SEEDS: Final = 5
"""With fewer, nothing is decided."""
FARTHER: Final = (1.960 + 0.842) / 1.960
"""How many times its reach an interval's centre must be from a number, so that the next
interval leaves the number out with probability .8: (z(.975) + z(.8)) / z(.975)."""


@dataclass(frozen=True)
class Published:
    """What a paper says in numbers."""

    text: str
    values: tuple[float, ...] = ()
    """The numbers, if there are any: of the claimed winner first."""


NO_NUMBER: Final = Published("no number there")


@dataclass(frozen=True)
class Judgement:
    """A rule, and what it says of what was measured."""

    statistic: str
    intervals: tuple[Interval, ...]
    """Of the statistic; several where there are several comparators."""
    rule: str
    verdict: Verdict
    needed: float | None
    """Seeds a side that would probably decide; None: no number of seeds would."""
    without: str = "no number of seeds would"
    """What to say if there is no such number."""


def of_all_seeds(true: Bools, statistic: str) -> Judgement:
    """The rule for a claim about every seed, from whether it is true of each."""
    enough = len(true) >= FEWEST_SEEDS
    verdict: Verdict = "undecided"
    if enough and true.all():
        verdict = "reproduced"
    elif enough and true.mean() < 1 / 2:
        verdict = "not reproduced"
    mixed = 1 / 2 <= true.mean() < 1  # one seed contradicts, and most agree
    return Judgement(
        f"share of seeds: {statistic}",
        (share(int(true.sum()), len(true)),),
        "reproduced if true of every seed, not reproduced if of fewer than half",
        verdict,
        None if mixed else FEWEST_SEEDS,
    )


def of_improvement(
    intervals: Sequence[Interval],
    sides: Sequence[Run],
    statistic: str,
    *,
    margin: float = 0.0,
) -> Judgement:
    """The rule for a claim that one run beats others, or one in several ways.

    Each interval is of the probability that a seed of the one beats a seed of another.
    Seeds closer than `margin` are alike.
    """
    seeds = min(len(run.seeds) for run in sides)
    verdict: Verdict = "undecided"
    if seeds >= FEWEST_SEEDS and any(each.high < 1 / 2 for each in intervals):
        verdict = "not reproduced"
    elif seeds >= FEWEST_SEEDS and all(each.low > 1 / 2 for each in intervals):
        verdict = "reproduced"
    above, below = "the interval lies", "it lies"
    if len(intervals) > 1:
        above, below = "every interval lies", "one lies"
    alike = f"; seeds less than {margin:g} apart are alike" if margin else ""
    return Judgement(
        statistic,
        tuple(intervals),
        f"reproduced if {above} above ½, not reproduced if {below} below{alike}",
        verdict,
        _most([_to_leave(each, 1 / 2, seeds) for each in intervals]),
    )


def of_ratios(
    intervals: Sequence[Interval],
    sides: Sequence[Run],
    statistic: str,
    *,
    at_most: float,
) -> Judgement:
    """The rule for a claim that one run needs at most a share of what others need.

    Each interval is of the ratio to another run.
    """
    seeds = min(len(run.seeds) for run in sides)
    verdict: Verdict = "undecided"
    if seeds >= FEWEST_SEEDS and any(each.low > at_most for each in intervals):
        verdict = "not reproduced"
    elif seeds >= FEWEST_SEEDS and all(each.high < at_most for each in intervals):
        verdict = "reproduced"
    below, above = "the interval lies", "it lies"
    if len(intervals) > 1:
        below, above = "every interval lies", "one lies"
    return Judgement(
        statistic,
        tuple(intervals),
        f"reproduced if {below} below {at_most:g}, not reproduced if {above} above",
        verdict,
        _most([_to_leave(each, at_most, seeds) for each in intervals]),
    )


def of_shares(first: Bools, second: Bools, published: Published) -> Judgement:
    """The rule for a claim that something is true of more seeds of one run.

    The published shares are those of the paper, the larger first.
    """
    shares = Shares.of(first, second)
    difference, significant = shares.difference, shares.p < SIGNIFICANT
    claimed, other = published.values
    verdict: Verdict = "undecided"
    if min(len(first), len(second)) >= FEWEST_SEEDS:
        reverse = significant and difference.estimate < 0
        if reverse or difference.high < claimed - other:
            verdict = "not reproduced"
        elif significant:
            verdict = "reproduced"
    return Judgement(
        "difference of the shares of seeds",
        (difference,),
        f"not reproduced if the difference is negative and Fisher's p < "
        f"{SIGNIFICANT:g}, or if its 95 % interval lies below the paper's; else "
        "reproduced if it is positive and p as small",
        verdict,
        _to_tell(shares, claimed - other) if verdict == "undecided" else None,
    )


def _to_tell(shares: Shares, claimed: float) -> float:
    """Seeds with which Fisher's test or the interval of a difference decides.

    The test finds a difference of the measured sign; the interval leaves the claimed
    difference above it. One seed more than there are, at least.
    """
    difference, seeds = shares.difference, min(shares.of_first, shares.of_second)
    routes = [math.inf]
    if difference.estimate != 0:
        one, other = shares.first / shares.of_first, shares.second / shares.of_second
        routes.append(seeds_to_tell(max(one, other), min(one, other)))
    if difference.estimate < claimed:
        routes.append(_to_leave(difference, claimed, seeds) or math.inf)
    return max(FEWEST_SEEDS, seeds + 1, min(routes))


def of_levels(
    high: Interval,
    at_least: float,
    low: Interval,
    at_most: float,
    *,
    sides: Sequence[Run],
    statistic: str,
) -> Judgement:
    """The rule for a claim that one mean is high and another one low."""
    seeds = min(len(run.seeds) for run in sides)
    verdict: Verdict = "undecided"
    if seeds >= FEWEST_SEEDS:
        if high.high < at_least or low.low > at_most:
            verdict = "not reproduced"
        elif high.low > at_least and low.high < at_most:
            verdict = "reproduced"
    return Judgement(
        statistic,
        (high, low),
        f"reproduced if the first interval lies above {at_least:g} and the second "
        f"below {at_most:g}, not reproduced if one lies on the other side",
        verdict,
        _most([_to_leave(high, at_least, seeds), _to_leave(low, at_most, seeds)]),
    )


def _most(needed: Sequence[float | None]) -> float | None:
    """Seeds for all parts of a claim."""
    known = [each for each in needed if each is not None]
    return max(known) if len(known) == len(needed) else None


def _to_leave(interval: Interval, level: float, seeds: int) -> float | None:
    """Seeds with which an interval probably leaves a level out, if it is where it is.

    Its reach towards the level shrinks with the root of the seeds. None: nothing varies
    and it is the level, so that no number of seeds would.
    """
    distance = interval.estimate - level
    if distance == 0:
        return None if interval.low == interval.high else math.inf
    end = interval.low if distance > 0 else interval.high
    reach = abs(interval.estimate - end)
    return max(float(FEWEST_SEEDS), seeds * (FARTHER * reach / distance) ** 2)
