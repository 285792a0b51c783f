"""The claims of Haarnoja et al. 2017, arXiv:1702.08165: soft Q-learning."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.claims.base import (
    Claim,
    Evidence,
    of_all,
    of_all_seeds,
    of_improvement,
)
from pipeline.study.statistics.bootstrap import Floats
from pipeline.study.statistics.comparators import (
    comparators,
    improvement,
    robustness_improvement,
    score_comparators,
)
from pipeline.study.statistics.goals import goal_frequencies
from pipeline.study.statistics.numbers import number
from pipeline.study.statistics.threshold import (
    StepsToThreshold,
    steps_to_return,
    threshold_returns,
)
from pipeline.study.store.runs import Run, same_temperature
from pipeline.study.store.scores import UNCHANGED, WITHSTOOD, Score

PAPER: Final = "Haarnoja et al. 2017"
EXPLORATION: Final = f"{PAPER}, section 5.1, Figure 1"
PRETRAINING: Final = f"{PAPER}, section 5.3, Figure 7"
FINE_TUNING: Final = f"{PAPER}, section 5.3, Figures 4 and 5"

TEMPERATURE: Final = 10.0
"""α of the paper's multi-goal experiment, in reward units per nat."""
GOALS: Final = 4
"""Goals of that experiment. Runs on tasks with others say nothing about it."""
COMMITTED: Final = 0.95
"""A seed is committed to a goal if at least this share of episodes ends there."""

SLOWER: Final = {
    ("scratch", "ddpg"): "DDPG learns from scratch",
    ("finetune", "ddpg"): "pretrained DDPG learns",
    ("scratch", "sql"): "soft Q-learning learns from scratch",
}
"""Stage and kind of whom pretrained soft Q-learning should be faster than."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim of the paper that the study has the runs for."""
    yield from _multigoal(evidence)
    yield from _pretraining(evidence)
    yield from _fine_tuning(evidence)
    learners = [
        score
        for score in evidence.scores
        if score.run.algorithm.kind == "sql" and not score.run.swept
    ]
    for score in learners:
        yield from _nearer(score, evidence)
    for score in learners:
        yield from _withstands(score, evidence)


# -------------------------------------------------------------------- exploration


def _multigoal(evidence: Evidence) -> Iterator[Claim]:
    explored = [
        run
        for run in evidence.runs
        if run.stage == "explore"
        and isinstance(run.task, MultiGoal)
        and len(run.task.goals) == GOALS
        and run.task.goals_end_episode
    ]
    learners = [
        run
        for run in explored
        if run.algorithm.kind == "sql"
        and not run.swept
        and same_temperature(run.temperature, TEMPERATURE)
    ]
    for run in learners:
        goals = run.final["goals_reached"]
        every = np.asarray(goals == GOALS)
        yield Claim(
            EXPLORATION,
            f"Soft Q-learning at α = {TEMPERATURE:g} reaches all four goals.",
            (run.id,),
            f"{every.sum()} of {len(goals)} seeds reach all four",
            of_all_seeds(every),
        )
    for run in (run for run in explored if run.algorithm.kind == "ddpg"):
        committed = np.asarray(goal_frequencies(run).max(axis=0) >= COMMITTED)
        goals = run.final["goals_reached"]
        yield Claim(
            EXPLORATION,
            "DDPG commits to one goal.",
            (run.id,),
            f"{committed.sum()} of {len(goals)} seeds end at least {COMMITTED:.0%} of "
            "their episodes in one goal; goals reached per seed: "
            + ", ".join(f"{count:g}" for count in goals),
            of_all_seeds(committed),
        )
    statement = "Soft Q-learning spreads over more goals than DDPG."
    for run in learners:
        yield from _better(run, "multi_goal_score", EXPLORATION, statement, evidence)


def _better(
    run: Run, metric: str, source: str, statement: str, evidence: Evidence
) -> Iterator[Claim]:
    """That a final metric of a run exceeds that of each comparator."""
    for other in comparators(run, evidence.runs):
        interval = improvement(run, other, metric, evidence.bootstrap)
        yield Claim(
            source,
            statement,
            (run.id, other.id),
            f"P({metric} higher) = {interval.text()}",
            of_improvement(interval, run, other),
        )


# ----------------------------------------------------- pretraining and fine-tuning


def _pretraining(evidence: Evidence) -> Iterator[Claim]:
    metric = "direction_spread"
    statement = (
        "Pretrained soft Q-learning moves in more directions than pretrained DDPG."
    )
    for run in evidence.runs:
        place = (run.stage, run.algorithm.kind)
        if place == ("pretrain", "sql") and metric in run.final:
            yield from _better(run, metric, PRETRAINING, statement, evidence)


def _fine_tuning(evidence: Evidence) -> Iterator[Claim]:
    thresholds = threshold_returns(evidence.runs)
    for run in evidence.runs:
        place = (run.stage, run.algorithm.kind)
        if place == ("finetune", "sql") and run.task_name in thresholds:
            for other in comparators(run, evidence.runs):
                yield _faster(run, other, thresholds[run.task_name], evidence)


def _faster(run: Run, other: Run, threshold: float, evidence: Evidence) -> Claim:
    """That a run needs fewer steps to the threshold return than another."""
    own, theirs = (steps_to_return(each, threshold) for each in (run, other))
    interval = evidence.bootstrap.probability_of_improvement(
        -own.counted, -theirs.counted, f"{run.id}>{other.id}/steps_to_return"
    )
    return Claim(
        FINE_TUNING,
        "Pretrained soft Q-learning learns a specific task in fewer steps than "
        f"{SLOWER[other.stage, other.algorithm.kind]}.",
        (run.id, other.id),
        f"P(fewer steps to a return of {threshold:.3g}) = {interval.text()}; "
        f"median steps {_median(own)} against {_median(theirs)}",
        of_improvement(interval, run, other),
    )


def _median(steps: StepsToThreshold) -> str:
    """`4 000 (6 of 6 seeds)`; a seed that never got there counts as its budget."""
    reached = int((~np.isnan(steps.steps)).sum())
    median = number(float(np.median(steps.counted)), 0)
    return f"{median} ({reached} of {len(steps.steps)} seeds)"


# ------------------------------------------------- exact answers and changed tasks


def _nearer(score: Score, evidence: Evidence) -> Iterator[Claim]:
    for other in score_comparators(score, evidence.scores):
        shared = [name for name in score.oracles if name in other.oracles]
        if other.run.algorithm.kind == "sac" and shared:
            interval = evidence.bootstrap.probability_of_improvement(
                -_divergence(score, shared[0]),
                -_divergence(other, shared[0]),
                f"{score.run.id}>{other.run.id}/reverse_kl",
            )
            yield Claim(
                f"{PAPER}, section 3.3; exact answer of this study",
                "Soft Q-learning's policy is nearer to the soft-optimal one than "
                f"SAC's, at α = {score.run.temperature:.3g}.",
                (score.run.id, other.run.id),
                f"P(lower KL to {shared[0]}) = {interval.text()}",
                of_improvement(interval, score.run, other.run),
            )


def _divergence(score: Score, oracle: str) -> Floats:
    """Mean reverse KL over the probe states, per seed, in nats."""
    columns = [score.exact[f"{oracle}/reverse_kl/{place}"] for place in score.places]
    return np.asarray(np.mean(columns, axis=0))


def _withstands(score: Score, evidence: Evidence) -> Iterator[Claim]:
    others = score_comparators(score, evidence.scores)
    if {other.run.algorithm.kind for other in others} < {"sac", "ddpg"}:
        return
    for perturbation in score.perturbations:
        if perturbation == UNCHANGED:
            continue
        intervals = [
            robustness_improvement(score, other, perturbation, evidence.bootstrap)
            for other in others
        ]
        compared = [*zip((other.run for other in others), intervals, strict=True)]
        succeeded = score.robustness[f"{perturbation}/{WITHSTOOD}"].mean()
        yield Claim(
            f"{PAPER}, section 1 (no numbers there)",
            f"Soft Q-learning at α = {score.run.temperature:.3g} withstands a change "
            f"of the task better than SAC and DDPG: {perturbation.replace('_', ' ')}.",
            (score.run.id, *(run.id for run, _ in compared)),
            f"success within the attempts from {succeeded:.0%} of starts; "
            + "; ".join(f"P(more than {run.id}) = {x.text()}" for run, x in compared),
            of_all([of_improvement(x, score.run, run) for run, x in compared]),
        )
