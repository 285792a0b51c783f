"""The claims of Haarnoja et al. 2018, arXiv:1803.06773: soft Q-functions compose."""

from collections.abc import Iterator
from typing import Final

from pipeline.study.claims.base import Claim, Evidence
from pipeline.study.claims.rules import Judgement, of_all_seeds
from pipeline.study.store.scores import Composition

PAPER: Final = "Haarnoja et al. 2018, arXiv:1803.06773"
REACHED_BOTH: Final = 0.9
"""Share of episodes in which a composed policy must reach both objectives."""
KEPT: Final = 0.35
"""Share of episodes that the rarer of two equal goals must have."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Two claims for every composition of the study.

    That no goal is lost is claimed where the exact policy of the combined task does it:
    not of three goals, of which each has a third.
    """
    for one in evidence.compositions:
        yield _does_both(evidence, one)
        if one.summary.get("oracle/rarest_shared_goal", 0.0) >= KEPT:
            yield _keeps_goals(evidence, one)


def _does_both(evidence: Evidence, one: Composition) -> Claim:
    reached = one.final["success"]
    every = reached >= REACHED_BOTH
    return _claim(
        evidence,
        one,
        PAPER,
        "does both tasks",
        of_all_seeds(every, f"both reached in at least {REACHED_BOTH:.0%} of episodes"),
        f"{every.sum()} of {len(reached)} seeds reach both objectives in at least "
        f"{REACHED_BOTH:.0%} of episodes ({reached.min():.0%} to "
        f"{reached.max():.0%}; the exact policy does in "
        f"{one.summary['oracle/success']:.0%})",
    )


def _keeps_goals(evidence: Evidence, one: Composition) -> Claim:
    rarest = one.final["rarest_shared_goal"]
    every = rarest >= KEPT
    return _claim(
        evidence,
        one,
        f"{PAPER}; exact answer of this study",
        "keeps every goal that both tasks have",
        of_all_seeds(every, f"the rarest goal has at least {KEPT:.0%} of episodes"),
        f"on {every.sum()} of {len(rarest)} seeds the rarest goal has at least "
        f"{KEPT:.0%} of episodes ({rarest.min():.0%} to {rarest.max():.0%}; the exact "
        f"policy's has {one.summary['oracle/rarest_shared_goal']:.0%})",
    )


def _claim(
    evidence: Evidence,
    one: Composition,
    source: str,
    does: str,
    judgement: Judgement,
    measured: str,
) -> Claim:
    parts = [f"explore/{one.first}", f"explore/{one.second}"]
    return evidence.claim(
        source,
        f"The {one.combine} of two soft Q-functions {does}, without new experience.",
        judgement,
        [run for run in evidence.runs if run.id in parts],
        measured=measured,
        name=f"compose/{one.name}",
    )
