"""The claims of the soft Q-learning paper that a study tests, and what it found.

A claim is judged only where the study has the runs for it. Rules, the same for all:

- A claim that one run beats another is `reproduced` if the interval of the probability
  of improvement lies above 1/2, `not reproduced` if it lies below 1/2.
- A claim about every seed of a run is `reproduced` if it is true of every seed,
  `not reproduced` if it is true of fewer than half.
- Everything else is `undecided`, and so is whatever has fewer than five seeds.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.statistics.compare import (
    Arrival,
    improvement,
    set_returns,
    steps_to_return,
)
from pipeline.study.store.runs import Run

Verdict: TypeAlias = Literal["reproduced", "not reproduced", "undecided"]

FEWEST_SEEDS: Final = 5
"""With fewer, nothing is decided."""

PAPER_TEMPERATURE: Final = 10.0
"""α of the paper's multi-goal experiment, in reward units per nat."""

PAPER_GOALS: Final = 4
"""Goals of that experiment. Runs on tasks with others say nothing about it."""

COMMITTED: Final = 0.95
"""A seed is committed to a goal if at least this share of episodes ends there."""

PAPER: Final = "Haarnoja et al. 2017"


@dataclass(frozen=True)
class Claim:
    """What was claimed, what was measured, and the verdict."""

    source: str
    statement: str
    runs: tuple[str, ...]
    """The runs it was judged by, the claimed winner first."""
    measured: str
    verdict: Verdict


def judge(runs: Sequence[Run], bootstrap: Bootstrap) -> list[Claim]:
    """Every claim that these runs can test."""
    return [
        *_multigoal(runs, bootstrap),
        *_pretraining(runs, bootstrap),
        *_finetuning(runs, bootstrap),
    ]


def of_all_seeds(true: npt.NDArray[np.bool_]) -> Verdict:
    """The verdict on a claim about every seed."""
    if len(true) < FEWEST_SEEDS:
        return "undecided"
    if true.all():
        return "reproduced"
    return "not reproduced" if true.mean() < 1 / 2 else "undecided"


def of_improvement(interval: Interval, seeds: int) -> Verdict:
    """The verdict on a claim that one run beats another."""
    if seeds < FEWEST_SEEDS:
        return "undecided"
    if interval.low > 1 / 2:
        return "reproduced"
    return "not reproduced" if interval.high < 1 / 2 else "undecided"


# --------------------------------------------------------------------- multi-goal


def goal_frequencies(run: Run) -> npt.NDArray[np.float64]:
    """Share of final episodes that end in each goal: `[goal, seed]`."""
    goals = range(len(run.task.goals))
    return np.array([run.final[f"goal_{goal}"] for goal in goals])


def _multigoal(runs: Sequence[Run], bootstrap: Bootstrap) -> Iterator[Claim]:
    source = f"{PAPER}, section 5.1, Figure 1"
    explored = [
        run
        for run in runs
        if run.stage == "explore"
        and isinstance(run.task, MultiGoal)
        and len(run.task.goals) == PAPER_GOALS
        and run.task.goals_end_episode
    ]
    baselines = [run for run in explored if run.algorithm.kind == "ddpg"]
    learners = [
        run
        for run in explored
        if run.algorithm.kind == "sql"
        and not run.swept
        and run.temperature is not None
        and math.isclose(run.temperature, PAPER_TEMPERATURE)
    ]
    for run in learners:
        goals = run.final["goals_reached"]
        every = np.asarray(goals == PAPER_GOALS)
        yield Claim(
            source,
            f"Soft Q-learning at α = {PAPER_TEMPERATURE:g} reaches all four goals.",
            (run.id,),
            f"{every.sum()} of {len(goals)} seeds reach all four",
            of_all_seeds(every),
        )
    for run in baselines:
        committed = np.asarray(goal_frequencies(run).max(axis=0) >= COMMITTED)
        goals = run.final["goals_reached"]
        yield Claim(
            source,
            "DDPG commits to one goal.",
            (run.id,),
            f"{committed.sum()} of {len(goals)} seeds end at least {COMMITTED:.0%} of "
            "their episodes in one goal; goals reached per seed: "
            + ", ".join(f"{count:g}" for count in goals),
            of_all_seeds(committed),
        )
    for run in learners:
        for rival in baselines:
            yield _better(
                run,
                rival,
                "multi_goal_score",
                bootstrap=bootstrap,
                source=source,
                statement="Soft Q-learning spreads over more goals than DDPG.",
            )


# ----------------------------------------------------- pretraining and fine-tuning


def _pretraining(runs: Sequence[Run], bootstrap: Bootstrap) -> Iterator[Claim]:
    pretrained = [
        run
        for run in runs
        if run.stage == "pretrain" and "direction_spread" in run.final
    ]
    for run in pretrained:
        for rival in pretrained:
            if (
                run.algorithm.kind == "sql"
                and rival.algorithm.kind == "ddpg"
                and run.task_name == rival.task_name
            ):
                yield _better(
                    run,
                    rival,
                    "direction_spread",
                    bootstrap=bootstrap,
                    source=f"{PAPER}, section 5.3, Figure 7",
                    statement="Pretrained soft Q-learning moves in more directions "
                    "than pretrained DDPG.",
                )


def _finetuning(runs: Sequence[Run], bootstrap: Bootstrap) -> Iterator[Claim]:
    thresholds = set_returns(runs)
    tuned = [
        run
        for run in runs
        if run.stage == "finetune"
        and run.algorithm.kind == "sql"
        and run.task_name in thresholds
    ]
    than = {
        ("scratch", "ddpg"): "DDPG learns from scratch",
        ("finetune", "ddpg"): "pretrained DDPG learns",
        ("scratch", "sql"): "soft Q-learning learns from scratch",
    }
    for run in tuned:
        for rival in runs:
            place = (rival.stage, rival.algorithm.kind)
            if rival.task_name == run.task_name and place in than:
                yield _sooner(
                    run,
                    rival,
                    thresholds[run.task_name],
                    bootstrap=bootstrap,
                    source=f"{PAPER}, section 5.3, Figures 4 and 5",
                    statement="Pretrained soft Q-learning learns a specific task in "
                    f"fewer steps than {than[place]}.",
                )


def _better(
    run: Run,
    rival: Run,
    metric: str,
    *,
    bootstrap: Bootstrap,
    source: str,
    statement: str,
) -> Claim:
    """Judge that a final metric of `run` exceeds the rival's."""
    interval = improvement(run, rival, metric, bootstrap=bootstrap)
    return Claim(
        source,
        statement,
        (run.id, rival.id),
        f"P({metric} higher) = {_shown(interval)}",
        of_improvement(interval, min(len(run.seeds), len(rival.seeds))),
    )


def _sooner(
    run: Run,
    rival: Run,
    threshold: float,
    *,
    bootstrap: Bootstrap,
    source: str,
    statement: str,
) -> Claim:
    """Judge that `run` arrives at the set return in fewer steps than the rival."""
    own, other = steps_to_return(run, threshold), steps_to_return(rival, threshold)
    interval = bootstrap.probability_of_improvement(
        -own.counted, -other.counted, f"{run.id}>{rival.id}/steps_to_return"
    )
    return Claim(
        source,
        statement,
        (run.id, rival.id),
        f"P(fewer steps to a return of {threshold:.3g}) = {_shown(interval)}; "
        f"median steps {_median(own)} against {_median(other)}",
        of_improvement(interval, min(len(run.seeds), len(rival.seeds))),
    )


def _shown(interval: Interval) -> str:
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _median(arrival: Arrival) -> str:
    """`4 000 (6 of 6 arrived)`; never counts as the whole budget."""
    arrived = int((~np.isnan(arrival.steps)).sum())
    number = f"{np.median(arrival.counted):,.0f}".replace(",", " ")
    return f"{number} ({arrived} of {len(arrival.steps)} arrived)"
