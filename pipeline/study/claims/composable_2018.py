"""The claim of Haarnoja et al. 2018, arXiv:1803.06773: soft Q-functions compose."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from pipeline.study.claims.base import Claim, Evidence, of_all_seeds
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
        yield _does_both(one)
        if one.summary.get("oracle/rarest_shared_goal", 0.0) >= KEPT:
            yield _keeps_goals(one)


def _does_both(one: Composition) -> Claim:
    reached = one.final["success"]
    every = np.asarray(reached >= REACHED_BOTH)
    return Claim(
        PAPER,
        f"The {one.combine} of two soft Q-functions does both tasks, without new "
        "experience.",
        _runs(one),
        f"{every.sum()} of {len(reached)} seeds reach both objectives in at least "
        f"{REACHED_BOTH:.0%} of episodes ({reached.min():.0%} to "
        f"{reached.max():.0%}; the exact policy does in "
        f"{one.summary['oracle/success']:.0%})",
        of_all_seeds(every),
    )


def _keeps_goals(one: Composition) -> Claim:
    rarest = one.final["rarest_shared_goal"]
    every = np.asarray(rarest >= KEPT)
    return Claim(
        f"{PAPER} (no numbers there); exact answer of this study",
        f"The {one.combine} of two soft Q-functions keeps every goal that both tasks "
        "have, without new experience.",
        _runs(one),
        f"on {every.sum()} of {len(rarest)} seeds the rarest goal has at least "
        f"{KEPT:.0%} of episodes ({rarest.min():.0%} to {rarest.max():.0%}; the exact "
        f"policy's has {one.summary['oracle/rarest_shared_goal']:.0%})",
        of_all_seeds(every),
    )


def _runs(one: Composition) -> tuple[str, ...]:
    return f"compose/{one.name}", f"explore/{one.first}", f"explore/{one.second}"
