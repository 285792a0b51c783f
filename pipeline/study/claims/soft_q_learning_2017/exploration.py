"""Exploration, sections 5.1 and 5.2: four goals, two ways, two passages."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Final

import numpy as np

from pipeline.core.tasks.directions import MOVED
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.tasks.navigation.rewards import Speed
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.navigation.ways import threshold
from pipeline.study.claims.base import Claim, Evidence, better, unless_still
from pipeline.study.claims.rules import Bools, Published, of_all_seeds, of_shares
from pipeline.study.statistics.bootstrap import Floats, Interval
from pipeline.study.statistics.comparators import comparators
from pipeline.study.statistics.goals import goal_frequencies
from pipeline.study.statistics.shares import Shares
from pipeline.study.store.runs import Run, same_temperature

PAPER: Final = "Haarnoja et al. 2017, section 5"
ON_GOALS: Final = f"{PAPER}.1, Figure 1"
ON_TWO_WAYS: Final = f"{PAPER}.2, Figures 3a and 6"
ON_PASSAGES: Final = f"{PAPER}.2, Figure 3b"

TEMPERATURE: Final = 10.0
"""α of the paper's multi-goal experiment, in reward units per nat."""
GOALS: Final = 4
"""Goals of that experiment. Runs on tasks with others say nothing about it."""
COMMITTED: Final = 0.95
"""A seed is committed to a goal if at least this share of episodes ends there."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim that the study has runs of `explore` for."""
    explored = [run for run in evidence.runs if run.stage == "explore"]
    yield from _four_goals(evidence, [run for run in explored if _has_goals(run)])
    for run in explored:
        if run.algorithm.kind == "sql":
            for other in comparators(run, explored):
                yield from _two_ways(evidence, run, other)
                yield from _two_passages(evidence, run, other)


# ---------------------------------------------------------------------- four goals


def _has_goals(run: Run) -> bool:
    return (
        isinstance(run.task, MultiGoal)
        and len(run.task.goals) == GOALS
        and run.task.goals_end_episode
    )


def _four_goals(evidence: Evidence, explored: Sequence[Run]) -> Iterator[Claim]:
    learners = [
        run
        for run in explored
        if run.algorithm.kind == "sql"
        and not run.swept
        and same_temperature(run.temperature, TEMPERATURE)
    ]
    for run in learners:
        every = np.asarray(run.final["goals_reached"] == GOALS)
        yield evidence.claim(
            ON_GOALS,
            f"Soft Q-learning at α = {TEMPERATURE:g} reaches all four goals.",
            of_all_seeds(every, "all four goals reached"),
            [run],
            published=Published("all four, in a figure"),
            measured=f"{every.sum()} of {len(every)} seeds reach all four",
        )
    for run in (run for run in explored if run.algorithm.kind == "ddpg"):
        committed = np.asarray(goal_frequencies(run).max(axis=0) >= COMMITTED)
        goals = ", ".join(f"{count:g}" for count in run.final["goals_reached"])
        yield evidence.claim(
            ON_GOALS,
            "DDPG commits to one goal.",
            of_all_seeds(committed, f"{COMMITTED:.0%} of episodes end in one goal"),
            [run],
            published=Published("one goal, in words"),
            measured=f"{committed.sum()} of {len(committed)} seeds end at least "
            f"{COMMITTED:.0%} of their episodes in one goal; goals reached per seed: "
            f"{goals}",
        )
    for run in learners:
        for other in comparators(run, evidence.runs):
            yield better(
                evidence,
                ON_GOALS,
                "Soft Q-learning spreads over more goals than DDPG.",
                (run, other),
                "multi_goal_score",
            )


# ------------------------------------------------------- two ways and two passages


def _two_ways(evidence: Evidence, run: Run, other: Run) -> Iterator[Claim]:
    """About tasks where one of two ways pays more, from a line on."""
    task = run.task
    if not (
        isinstance(task, Navigation)
        and isinstance(task.reward, Speed)
        and task.reward.speed == "either_way"
        and task.reward.past_line is not None
    ):
        return
    sides = [_most_episodes(each.final["past_line"]) for each in (run, other)]
    yield _on_more_seeds(
        evidence,
        ON_TWO_WAYS,
        "Of two ways, soft Q-learning ends on the better one on more seeds than DDPG.",
        (run, other),
        sides,
        published=Published("100 % of runs against 80 %", (1.0, 0.8)),
        measured="seeds end most episodes past the line",
        moving=True,
    )


def _two_passages(evidence: Evidence, run: Run, other: Run) -> Iterator[Claim]:
    """About tasks where one of two passages that look alike is blocked."""
    task = run.task
    if not (isinstance(task, Navigation) and task.place.passages is not None):
        return
    least = threshold(task.place)
    sides = [_last(each, "train/closest") < least for each in (run, other)]
    final = [np.asarray(each.final["target_distance"] < least) for each in (run, other)]
    yield _on_more_seeds(
        evidence,
        ON_PASSAGES,
        "Of two passages, one of them blocked, soft Q-learning finds the open one on "
        "more seeds than DDPG.",
        (run, other),
        sides,
        published=Published("100 % of runs against 60 %", (1.0, 0.6)),
        measured=f"seeds came nearer to the target than {least:.3g} while they learned "
        f"(their policies do so on average: {final[0].sum()} against {final[1].sum()})",
    )


def _most_episodes(share: Floats) -> Bools:
    """Whether it is true of most episodes of each seed; not of one that has failed."""
    return np.asarray(share > 1 / 2)


def _ways(run: Run) -> str:
    """How many seeds of a comparator went the other way, and how many nowhere."""
    back = ~run.failed & (run.final["forward_distance"] <= -MOVED)
    still = ~run.failed & (run.final["distance"] < MOVED)
    return f"of DDPG {back.sum()} went the other way and {still.sum()} nowhere"


def _last(run: Run, metric: str) -> Floats:
    """What training had come to at its end; ∞ of a seed that has failed."""
    return np.where(run.failed, np.inf, run.curve(metric).values[-1])


def _on_more_seeds(
    evidence: Evidence,
    source: str,
    statement: str,
    runs: tuple[Run, Run],
    sides: Sequence[Bools],
    *,
    published: Published,
    measured: str,
    moving: bool = False,
) -> Claim:
    """No seed that failed speaks for it: one of the second side counts as true.

    `moving`: it is undecided if the comparator stands still.
    """
    other = runs[1]
    first, second = sides[0], sides[1] | other.failed
    shares = Shares.of(first, second)
    percent = [100 * value for value in astuple(shares.difference)]
    found = of_shares(first, second, published)
    parts = [
        f"{shares.first} of {shares.of_first} against {shares.second} of "
        f"{shares.of_second} {measured}",
        f"difference {Interval(*percent).text(' %')}, Fisher's p = {shares.p:.2g}",
        *(["of DDPG those that failed count as well"] if other.failures else []),
        *([_ways(other)] if moving else []),
    ]
    return evidence.claim(
        source,
        statement,
        unless_still(evidence, found, other) if moving else found,
        runs,
        published=published,
        measured="; ".join(parts),
    )
