"""Pretraining and fine-tuning, section 5.3."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.core.tasks.kind import Kind
from pipeline.core.tasks.navigation.rewards import Speed
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.study.claims.base import (
    ALIKE,
    Claim,
    Evidence,
    better,
    higher,
    improvement,
    unless_still,
)
from pipeline.study.claims.rules import Published, of_improvement, of_levels
from pipeline.study.statistics.bootstrap import Floats, Interval
from pipeline.study.statistics.comparators import comparators
from pipeline.study.statistics.numbers import number
from pipeline.study.statistics.threshold import (
    FIXED,
    HALF_WAY,
    StepsToThreshold,
    steps_to_return,
    threshold_returns,
)
from pipeline.study.store.runs import Run, same_temperature

PRETRAINING: Final = "Haarnoja et al. 2017, section 5.3, Figure 7"
FINE_TUNING: Final = "Haarnoja et al. 2017, section 5.3, Figures 4 and 5"
TRACES: Final = Published("no number there, traces seen from above")
CURVES: Final = Published("no number there, curves of returns")

SPREAD: Final = "direction_spread"
EVERYWHERE: Final = 0.8
"""Spread from which on a policy goes in all directions."""
ONE_WAY: Final = 0.2
"""Spread up to which it goes one way."""

SLOWER: Final = {
    ("scratch", "ddpg"): "DDPG learns from scratch",
    ("finetune", "ddpg"): "pretrained DDPG learns",
    ("scratch", "sql"): "soft Q-learning learns from scratch",
}
"""Stage and kind of whom pretrained soft Q-learning should be faster than."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim that the study has runs of `pretrain` and `finetune` for."""
    pretrained = [
        run
        for run in evidence.runs
        if (run.stage, run.algorithm.kind) == ("pretrain", "sql")
        and _has_no_direction(run.task)
    ]
    for run in pretrained:
        for other in comparators(run, evidence.runs):
            yield from _spreads(evidence, run, other)
    yield from _lower_temperature(evidence, pretrained)
    yield from _fine_tuning(evidence)


def _has_no_direction(task: Kind) -> bool:
    """Whether it pays to move, in whatever direction."""
    return (
        isinstance(task, Navigation)
        and isinstance(task.reward, Speed)
        and task.reward.speed == "any"
    )


def _spreads(evidence: Evidence, run: Run, other: Run) -> Iterator[Claim]:
    yield better(
        evidence,
        PRETRAINING,
        "Pretrained soft Q-learning moves in more directions than pretrained DDPG.",
        (run, other),
        SPREAD,
        published=TRACES,
        moving=True,
    )
    yield _levels(evidence, run, other)


def _levels(evidence: Evidence, run: Run, other: Run) -> Claim:
    """No seed that failed speaks for it: one of DDPG counts as going everywhere."""
    spread = (run.final[SPREAD], np.where(other.failed, 1.0, other.final[SPREAD]))
    moved = (run.final["distance"], other.final["distance"])

    def means(metric: str, values: tuple[Floats, Floats]) -> list[Interval]:
        return [
            evidence.bootstrap.interquartile_mean(each, f"{side.id}/{metric}")
            for side, each in zip((run, other), values, strict=True)
        ]

    spreads, distances = means(SPREAD, spread), means("distance", moved)
    found = of_levels(
        spreads[0],
        EVERYWHERE,
        spreads[1],
        ONE_WAY,
        sides=(run, other),
        statistic=f"interquartile mean of {SPREAD}",
    )
    everywhere, one_way = spread[0] >= EVERYWHERE, spread[1] <= ONE_WAY
    return evidence.claim(
        PRETRAINING,
        "Pretrained soft Q-learning moves in all directions, pretrained DDPG in one.",
        unless_still(evidence, found, other),
        (run, other),
        published=TRACES,
        measured=f"{SPREAD} {spreads[0].text()} against {spreads[1].text()}; "
        f"distance {distances[0].text()} against {distances[1].text()}; "
        f"{everywhere.sum()} of {len(everywhere)} seeds "
        f"spread by {EVERYWHERE:g} or more, {one_way.sum()} of {len(one_way)} of DDPG "
        f"by {ONE_WAY:g} or less",
    )


def _lower_temperature(evidence: Evidence, learners: list[Run]) -> Iterator[Claim]:
    """Of one algorithm on one task at several fixed temperatures."""
    together: dict[tuple[str, str], list[Run]] = {}
    for run in learners:
        if run.temperature is not None:
            alike = together.setdefault((run.algorithm_name, run.task_name), [])
            alike.append(run)
    for alike in together.values():
        ordered = sorted(alike, key=lambda run: run.temperature or 0.0)
        cold, warm = ordered[0], ordered[-1]
        if not same_temperature(cold.temperature, warm.temperature):
            yield _colder(evidence, cold, warm)


def _colder(evidence: Evidence, cold: Run, warm: Run) -> Claim:
    """That a run goes further than a warmer one, and in fewer directions."""
    further = higher(evidence, (cold, warm), "distance")
    more_diverse = higher(evidence, (warm, cold), SPREAD)
    return evidence.claim(
        PRETRAINING,
        "At a lower temperature pretrained soft Q-learning goes further, and less "
        "diversely.",
        of_improvement(
            [further, more_diverse],
            (cold, warm),
            f"P(distance higher), P({SPREAD} lower)",
            margin=ALIKE,
        ),
        (cold, warm),
        published=Published("no number there, traces at α = 10, 1, 0.1 and 0.01"),
        measured=f"α = {cold.temperature:g} against {warm.temperature:g}: "
        f"P(distance higher) = {further.text()}; "
        f"P({SPREAD} lower) = {more_diverse.text()}",
    )


def _fine_tuning(evidence: Evidence) -> Iterator[Claim]:
    thresholds = threshold_returns(evidence.runs, evidence.threshold_returns)
    for run in evidence.runs:
        place = (run.stage, run.algorithm.kind)
        if place == ("finetune", "sql") and run.task_name in thresholds:
            for other in comparators(run, evidence.runs):
                yield _faster(evidence, (run, other), thresholds[run.task_name])


def _faster(evidence: Evidence, sides: tuple[Run, Run], threshold: float) -> Claim:
    """That a run needs fewer steps to the threshold return than another."""
    run, other = sides
    own, theirs = (steps_to_return(each, threshold) for each in (run, other))
    name = f"{run.id}>{other.id}/steps_to_return"
    interval = improvement(evidence, sides, -own.counted, -theirs.counted, name)
    statistic = f"P(fewer steps to a return of {threshold:.3g})"
    found = of_improvement([interval], sides, statistic)
    fixed = run.task_name in evidence.threshold_returns
    rule = f"{found.rule}; the threshold return is {FIXED if fixed else HALF_WAY}"
    return evidence.claim(
        FINE_TUNING,
        "Pretrained soft Q-learning learns a specific task in fewer steps than "
        f"{SLOWER[other.stage, other.algorithm.kind]}.",
        replace(found, rule=rule),
        sides,
        published=CURVES,
        measured=f"{statistic} = {interval.text()}; "
        f"median steps {_median(own)} against {_median(theirs)}",
    )


def _median(steps: StepsToThreshold) -> str:
    """`4 000 (6 of 6 seeds)`; a seed that never got there counts as its budget."""
    reached = int((~np.isnan(steps.steps)).sum())
    median = number(float(np.median(steps.counted)), 0)
    return f"{median} ({reached} of {len(steps.steps)} seeds)"
