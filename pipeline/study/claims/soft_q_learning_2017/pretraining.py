"""Pretraining, section 5.3: whether a policy keeps all the ways of moving."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.core.tasks.kind import Kind
from pipeline.core.tasks.navigation.metrics import LINE_WAYS
from pipeline.core.tasks.navigation.rewards import Speed
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.study.claims.base import (
    ALIKE,
    Claim,
    Evidence,
    higher,
    improvement,
    unless_still,
)
from pipeline.study.claims.rules import Published, of_improvement, of_levels
from pipeline.study.statistics.bootstrap import Floats, Interval
from pipeline.study.statistics.comparators import comparators
from pipeline.study.store.runs import Run, same_temperature

SOURCE: Final = "Haarnoja et al. 2017, section 5.3, Figure 7"
TRACES: Final = Published("no number there, traces seen from above")


@dataclass(frozen=True)
class Spread:
    """A number that is high for who goes every way, and low for who goes one."""

    name: str
    of: Callable[[Run], Floats]
    """One number per seed."""
    every_way: float
    """From which on a policy goes every way."""
    one_way: float
    """Up to which it goes one way."""
    most: float
    """Of who goes every way alike."""
    ways: tuple[str, str, str]
    """More than another, all, one: what is said of a winner, and of DDPG."""


IN_PLANE: Final = Spread(
    "direction_spread",
    lambda run: run.final["direction_spread"],
    every_way=0.8,
    one_way=0.2,
    most=1.0,
    ways=("in more directions", "in all directions", "in one"),
)
ON_LINE: Final = Spread(
    "share of the rarer way",
    lambda run: np.minimum(*(run.final[way] for way in LINE_WAYS)),
    every_way=0.35,
    one_way=0.1,
    most=0.5,
    ways=("both ways more evenly", "both ways", "one way"),
)


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim that the study has runs of `pretrain` for."""
    pretrained = [
        run
        for run in evidence.runs
        if (run.stage, run.algorithm.kind) == ("pretrain", "sql")
        and _has_no_direction(run.task)
    ]
    for run in pretrained:
        for other in comparators(run, evidence.runs):
            yield _more_ways(evidence, (run, other))
            yield _every_way(evidence, (run, other))
    yield from _lower_temperature(evidence, pretrained)


def _has_no_direction(task: Kind) -> bool:
    """Whether it pays to move, in whatever direction or along x."""
    return (
        isinstance(task, Navigation)
        and isinstance(task.reward, Speed)
        and task.reward.speed != "forward"
        and task.reward.past_line is None
    )


def _spread_on(task: Kind) -> Spread:
    on_a_line = isinstance(task, Navigation) and task.is_on_a_line
    return ON_LINE if on_a_line else IN_PLANE


def _more(evidence: Evidence, sides: tuple[Run, Run]) -> Interval:
    """P(the first spreads more), by more than what is alike."""
    spread = _spread_on(sides[0].task)
    x, y = (spread.of(run) for run in sides)
    name = f"{sides[0].id}>{sides[1].id}/{spread.name}"
    return improvement(evidence, sides, x, y, name, margin=ALIKE)


def _more_ways(evidence: Evidence, sides: tuple[Run, Run]) -> Claim:
    spread, interval = _spread_on(sides[0].task), _more(evidence, sides)
    statistic = f"P({spread.name} higher)"
    found = of_improvement([interval], sides, statistic, margin=ALIKE)
    return evidence.claim(
        SOURCE,
        f"Pretrained soft Q-learning moves {spread.ways[0]} than pretrained DDPG.",
        unless_still(evidence, found, sides[1]),
        sides,
        published=TRACES,
        measured=f"{statistic} = {interval.text()}",
    )


def _every_way(evidence: Evidence, sides: tuple[Run, Run]) -> Claim:
    """No seed that failed speaks for it: one of DDPG counts as going every way."""
    run, other = sides
    spread = _spread_on(run.task)
    values = (spread.of(run), np.where(other.failed, spread.most, spread.of(other)))
    moved = [side.final["distance"] for side in sides]

    def means(metric: str, values: tuple[Floats, ...]) -> list[Interval]:
        return [
            evidence.bootstrap.interquartile_mean(each, f"{side.id}/{metric}")
            for side, each in zip(sides, values, strict=True)
        ]

    spreads, distances = means(spread.name, values), means("distance", (*moved,))
    found = of_levels(
        spreads[0],
        spread.every_way,
        spreads[1],
        spread.one_way,
        sides=sides,
        statistic=f"interquartile mean of {spread.name}",
    )
    every, one = values[0] >= spread.every_way, values[1] <= spread.one_way
    _, all_ways, one_way = spread.ways
    return evidence.claim(
        SOURCE,
        f"Pretrained soft Q-learning moves {all_ways}, pretrained DDPG {one_way}.",
        unless_still(evidence, found, other),
        sides,
        published=TRACES,
        measured=f"{spread.name} {spreads[0].text()} against {spreads[1].text()}; "
        f"distance {distances[0].text()} against {distances[1].text()}; "
        f"{spread.every_way:g} or more on {every.sum()} of {len(every)} seeds, "
        f"{spread.one_way:g} or less on {one.sum()} of {len(one)} of DDPG"
        + (_ends(sides) if spread is ON_LINE else ""),
    )


def _ends(sides: tuple[Run, Run]) -> str:
    """How many seeds end most of their episodes at either side."""
    ends = [[(run.final[way] > 1 / 2).sum() for way in LINE_WAYS] for run in sides]
    ahead, behind = zip(*ends, strict=True)
    return (
        f"; {ahead[0]} against {ahead[1]} seeds end most episodes ahead, "
        f"{behind[0]} against {behind[1]} behind"
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
    """That a run goes further than a warmer one, and fewer ways."""
    further = higher(evidence, (cold, warm), "distance")
    more_diverse = _more(evidence, (warm, cold))
    less = f"P({_spread_on(cold.task).name} lower)"
    return evidence.claim(
        SOURCE,
        "At a lower temperature pretrained soft Q-learning goes further, and less "
        "diversely.",
        of_improvement(
            [further, more_diverse],
            (cold, warm),
            f"P(distance higher), {less}",
            margin=ALIKE,
        ),
        (cold, warm),
        published=Published("no number there, traces at α = 10, 1, 0.1 and 0.01"),
        measured=f"α = {cold.temperature:g} against {warm.temperature:g}: "
        f"P(distance higher) = {further.text()}; "
        f"{less} = {more_diverse.text()}",
    )
