"""Claims that only exact answers, changed tasks and compositions can test.

The rules are those of `claims.py`. A claim that soft Q-learning beats both SAC and DDPG
needs both intervals above 1/2, and fails with one below.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from pipeline.study.claims.soft_q_learning import (
    PAPER,
    Claim,
    Verdict,
    of_all_seeds,
    of_improvement,
)
from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.store.runs import Floats
from pipeline.study.store.scores import (
    UNCHANGED,
    WITHSTOOD,
    Composition,
    Score,
    better,
    rivals,
)

REACHED_BOTH: Final = 0.9
"""Share of episodes in which a composed policy must reach both objectives."""


def judge_exact(
    scores: Sequence[Score], compositions: Sequence[Composition], bootstrap: Bootstrap
) -> list[Claim]:
    """Every claim that these can test."""
    learners = [
        score
        for score in scores
        if score.run.algorithm.kind == "sql" and not score.run.swept
    ]
    return [
        *_nearer(learners, scores, bootstrap),
        *_withstands(learners, scores, bootstrap),
        *_composed(compositions),
    ]


def _nearer(
    learners: Sequence[Score], scores: Sequence[Score], bootstrap: Bootstrap
) -> Iterator[Claim]:
    for score in learners:
        for rival in rivals(score, scores):
            shared = [name for name in score.oracles if name in rival.oracles]
            if rival.run.algorithm.kind == "sac" and shared:
                interval = bootstrap.probability_of_improvement(
                    -_divergence(score, shared[0]),
                    -_divergence(rival, shared[0]),
                    f"{score.run.id}>{rival.run.id}/reverse_kl",
                )
                yield Claim(
                    f"{PAPER}, section 3.3; exact answer of this study",
                    "Soft Q-learning's policy is nearer to the soft-optimal one than "
                    f"SAC's, at α = {score.run.temperature:.3g}.",
                    (score.run.id, rival.run.id),
                    f"P(lower KL to {shared[0]}) = {_shown(interval)}",
                    of_improvement(interval, len(score.run.seeds)),
                )


def _divergence(score: Score, oracle: str) -> Floats:
    """Mean reverse KL over the probe states, per seed, in nats."""
    columns = [score.exact[f"{oracle}/reverse_kl/{place}"] for place in score.places]
    return np.asarray(np.mean(columns, axis=0))


def _withstands(
    learners: Sequence[Score], scores: Sequence[Score], bootstrap: Bootstrap
) -> Iterator[Claim]:
    for score in learners:
        others = rivals(score, scores)
        if {rival.run.algorithm.kind for rival in others} < {"sac", "ddpg"}:
            continue
        for perturbation in score.perturbations:
            if perturbation == UNCHANGED:
                continue
            intervals = {
                rival.run.id: better(score, rival, perturbation, bootstrap)
                for rival in others
            }
            words = perturbation.replace("_", " ")
            yield Claim(
                f"{PAPER}, section 1 (no numbers there)",
                f"Soft Q-learning at α = {score.run.temperature:.3g} withstands a "
                f"change of the task better than SAC and DDPG: {words}.",
                (score.run.id, *intervals),
                f"{_percent(score, perturbation)} of starts mastered; "
                + "; ".join(
                    f"P(more than {rival}) = {_shown(interval)}"
                    for rival, interval in intervals.items()
                ),
                _of_all([*intervals.values()], len(score.run.seeds)),
            )


def _percent(score: Score, perturbation: str) -> str:
    return f"{score.robustness[f'{perturbation}/{WITHSTOOD}'].mean():.0%}"


def _of_all(intervals: Sequence[Interval], seeds: int) -> Verdict:
    verdicts = {of_improvement(interval, seeds) for interval in intervals}
    if "not reproduced" in verdicts:
        return "not reproduced"
    return "reproduced" if verdicts == {"reproduced"} else "undecided"


def _composed(compositions: Sequence[Composition]) -> Iterator[Claim]:
    for one in compositions:
        reached = one.final["success"]
        every = np.asarray(reached >= REACHED_BOTH)
        yield Claim(
            "Haarnoja et al. 2018, arXiv:1803.06773",
            f"The {one.combine} of two soft Q-functions does both tasks, without new "
            "experience.",
            (f"compose/{one.name}", f"explore/{one.first}", f"explore/{one.second}"),
            f"{every.sum()} of {len(reached)} seeds reach both objectives in at least "
            f"{REACHED_BOTH:.0%} of episodes ({reached.min():.0%} to "
            f"{reached.max():.0%}; the exact policy does in "
            f"{one.summary['oracle/success']:.0%})",
            of_all_seeds(every),
        )


def _shown(interval: Interval) -> str:
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
