"""What a claim is, and the evidence that it is judged by, where the study has it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from pipeline.core.tasks.directions import MOVED
from pipeline.study.claims.cost import core_hours
from pipeline.study.claims.rules import (
    NO_NUMBER,
    Judgement,
    Published,
    Verdict,
    of_improvement,
)
from pipeline.study.statistics.bootstrap import Bootstrap, Floats, Interval
from pipeline.study.statistics.numbers import number
from pipeline.study.statistics.shares import MOST_SEEDS
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import Composition, Score

ALIKE: Final = 0.05
"""Seeds whose shares or scores are less apart are alike: who is better by a thousandth,
even on every seed, is not better."""


@dataclass(frozen=True)
class Claim:
    """What was claimed, what was measured, and the verdict."""

    source: str
    statement: str
    published: Published
    runs: tuple[str, ...]
    """The runs it was judged by, the claimed winner first."""
    seeds: tuple[int, ...]
    """How many each of them has."""
    statistic: str
    intervals: tuple[Interval, ...]
    measured: str
    """The same for a reader, and what else should be known."""
    rule: str
    verdict: Verdict
    to_decide: str
    """Of what is undecided: how many seeds and core-hours would decide it."""


@dataclass(frozen=True)
class Evidence:
    """The results of a study, and how intervals over its seeds are made."""

    runs: Sequence[Run]
    scores: Sequence[Score]
    compositions: Sequence[Composition]
    bootstrap: Bootstrap
    hard_limit: Mapping[str, Floats] | None = field(default=None, kw_only=True)
    """The demonstration of that name, if the study shows the theorems."""
    threshold_returns: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    """Those that were fixed beforehand, by task."""

    def claim(
        self,
        source: str,
        statement: str,
        judgement: Judgement,
        runs: Sequence[Run],
        *,
        measured: str,
        published: Published = NO_NUMBER,
        name: str | None = None,
    ) -> Claim:
        """A claim about runs, the claimed winner first.

        `name` is that of what was made of the runs, if it was not them that were
        judged.
        """
        ids = tuple(run.id for run in runs)
        sizes = tuple(len(run.seeds) for run in runs)
        return Claim(
            source,
            statement,
            published,
            ids if name is None else (name, *ids),
            (min(sizes), *sizes) if name and sizes else sizes,
            judgement.statistic,
            judgement.intervals,
            measured,
            judgement.rule,
            judgement.verdict,
            _to_decide(judgement, runs, self.runs),
        )


def _to_decide(judgement: Judgement, sides: Sequence[Run], runs: Sequence[Run]) -> str:
    """`≈ 34 seeds a side, 0.4 core-hours more`, of what is undecided."""
    needed = judgement.needed
    if judgement.verdict != "undecided":
        return ""
    if needed is None:
        return judgement.without
    if needed > MOST_SEEDS:
        return f"more than {MOST_SEEDS} seeds a side"
    seeds = math.ceil(needed)
    hours = sum(max(0, seeds - len(run.seeds)) * core_hours(run, runs) for run in sides)
    cost = f"{number(hours, 1)} core-hours"
    if hours < 1:
        cost = f"{math.ceil(60 * hours)} core-minutes"
    return f"≈ {seeds} seeds a side, {cost} more"


def better(
    evidence: Evidence,
    source: str,
    statement: str,
    sides: tuple[Run, Run],
    metric: str,
) -> Claim:
    """The claim that a run has a higher share or score than its comparator."""
    interval = higher(evidence, sides, metric)
    statistic = f"P({metric} higher)"
    return evidence.claim(
        source,
        statement,
        of_improvement([interval], sides, statistic, margin=ALIKE),
        sides,
        measured=f"{statistic} = {interval.text()}",
    )


def higher(evidence: Evidence, sides: tuple[Run, Run], metric: str) -> Interval:
    """P(a final metric of the first is higher), by more than what is alike."""
    run, other = sides
    x, y = run.final[metric], other.final[metric]
    name = f"{run.id}>{other.id}/{metric}"
    return improvement(evidence, sides, x, y, name, margin=ALIKE)


def improvement(
    evidence: Evidence,
    sides: tuple[Run, Run],
    x: Floats,
    y: Floats,
    name: str,
    *,
    margin: float = 0.0,
) -> Interval:
    """P(X > Y) of one number per seed, where no seed that failed speaks for it.

    One of the first side loses, and one of the second wins.
    """
    run, other = sides
    x = np.where(run.failed | ~np.isfinite(x), -np.inf, x)
    y = np.where(other.failed | ~np.isfinite(y), np.inf, y)
    return evidence.bootstrap.probability_of_improvement(x, y, name, margin=margin)


def unless_still(evidence: Evidence, found: Judgement, other: Run) -> Judgement:
    """The judgement, but undecided instead of reproduced if DDPG stands still.

    Who stands still has no spread, is on no side, and has chosen nothing.
    """
    rule = f"{found.rule}; undecided if DDPG moves less than {MOVED:g} on average"
    name = f"{other.id}/distance"
    moved = evidence.bootstrap.interquartile_mean(other.final["distance"], name)
    if moved.estimate >= MOVED or found.verdict == "not reproduced":
        return replace(found, rule=rule)
    still = "DDPG stands still, with however many seeds"
    return replace(found, rule=rule, verdict="undecided", needed=None, without=still)
