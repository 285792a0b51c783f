"""What soft-optimal policies are and do: the hard limit, exact answers, robustness."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from pipeline.core.exact.demonstrations import RESOLUTION
from pipeline.study.claims.base import ALIKE, Claim, Evidence, improvement
from pipeline.study.claims.rules import Judgement, of_improvement
from pipeline.study.statistics.bootstrap import Floats
from pipeline.study.statistics.comparators import score_comparators
from pipeline.study.store.scores import UNCHANGED, WITHSTOOD, Score

PAPER: Final = "Haarnoja et al. 2017"


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim that the study has exact answers or scores for."""
    learners = [
        score
        for score in evidence.scores
        if score.run.algorithm.kind == "sql" and not score.run.swept
    ]
    for score in learners:
        yield from _nearer(score, evidence)
    for score in learners:
        yield from _withstands(score, evidence)
    if evidence.hard_limit is not None:
        yield _hard_limit(evidence, evidence.hard_limit)


def _nearer(score: Score, evidence: Evidence) -> Iterator[Claim]:
    for other in score_comparators(score, evidence.scores):
        shared = [name for name in score.oracles if name in other.oracles]
        if other.run.algorithm.kind == "sac" and shared:
            sides, statistic = (score.run, other.run), f"P(lower KL to {shared[0]})"
            interval = improvement(
                evidence,
                sides,
                -_divergence(score, shared[0]),
                -_divergence(other, shared[0]),
                f"{score.run.id}>{other.run.id}/reverse_kl",
            )
            yield evidence.claim(
                f"{PAPER}, section 3.3; exact answer of this study",
                "Soft Q-learning's policy is nearer to the soft-optimal one than "
                f"SAC's, at α = {score.run.temperature:.3g}.",
                of_improvement([interval], sides, statistic),
                sides,
                measured=f"{statistic} = {interval.text()}; medians "
                + " against ".join(
                    f"{np.median(_divergence(each, shared[0])):.2g}"
                    for each in (score, other)
                )
                + " nats",
            )


def _divergence(score: Score, oracle: str) -> Floats:
    """Mean reverse KL over the probe states, per seed, in nats; ∞ if it failed."""
    columns = [score.exact[f"{oracle}/reverse_kl/{place}"] for place in score.places]
    mean = np.mean(columns, axis=0)
    return np.where(np.isnan(mean), np.inf, mean)


def _withstands(score: Score, evidence: Evidence) -> Iterator[Claim]:
    others = score_comparators(score, evidence.scores)
    if {other.run.algorithm.kind for other in others} < {"sac", "ddpg"}:
        return
    for perturbation in score.perturbations:
        if perturbation != UNCHANGED:
            yield _withstands_one(score, others, perturbation, evidence)


def _withstands_one(
    score: Score, others: list[Score], perturbation: str, evidence: Evidence
) -> Claim:
    column = f"{perturbation}/{WITHSTOOD}"
    intervals = [
        improvement(
            evidence,
            (score.run, other.run),
            score.robustness[column],
            other.robustness[column],
            f"{score.run.id}>{other.run.id}/{column}",
            margin=ALIKE,
        )
        for other in others
    ]
    sides = [score.run, *(other.run for other in others)]
    shares = [
        f"{np.nan_to_num(each.robustness[column]).mean():.0%}"
        for each in (score, *others)
    ]
    return evidence.claim(
        f"{PAPER}, section 1",
        f"Soft Q-learning at α = {score.run.temperature:.3g} withstands a change of "
        f"the task better than SAC and DDPG: {perturbation.replace('_', ' ')}.",
        of_improvement(intervals, sides, "P(success from more starts)", margin=ALIKE),
        sides,
        measured=f"success within the attempts from {shares[0]} of starts; "
        + "; ".join(
            f"P(more than {run.id}, {share}) = {interval.text()}"
            for run, share, interval in zip(
                sides[1:], shares[1:], intervals, strict=True
            )
        ),
    )


def _hard_limit(evidence: Evidence, shown: Mapping[str, Floats]) -> Claim:
    """What the demonstration of that name shows; nothing in it is drawn or learned."""
    warmest_first = np.argsort(-shown["temperature"])
    temperature, gap, bound = (
        shown[name][warmest_first] for name in ("temperature", "gap", "bound")
    )
    kept = (shown["least_gap"] >= -RESOLUTION).all() and (gap <= bound).all()
    shrinks = (np.diff(gap) < 0).all()
    return evidence.claim(
        f"{PAPER}, after Theorem 2; exact answer of this study",
        "As α → 0, the optimal soft Q-function becomes the optimal hard one.",
        Judgement(
            "largest Q* at α less Q* at 0",
            (),
            "reproduced if at every temperature 0 ≤ Q*(α) − Q*(0) ≤ γ α log|A| / "
            "(1 − γ), and the largest difference shrinks with α; else not reproduced",
            "reproduced" if kept and shrinks else "not reproduced",
            None,
        ),
        [],
        measured=f"{gap[0]:.3g} at α = {temperature[0]:g}, {gap[-1]:.3g} at "
        f"{temperature[-1]:g}; at most {(gap / bound).max():.0%} of the bound at "
        f"{len(gap)} temperatures",
        name="theorems",
    )
