"""The claim of Haarnoja et al. 2018, arXiv:1803.06773: soft Q-functions compose."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from pipeline.study.claims.base import Claim, Evidence
from pipeline.study.claims.rules import of_all_seeds

REACHED_BOTH: Final = 0.9
"""Share of episodes in which a composed policy must reach both objectives."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """One claim for every composition of the study."""
    for one in evidence.compositions:
        reached = one.final["success"]
        every = np.asarray(reached >= REACHED_BOTH)
        parts = [f"explore/{one.first}", f"explore/{one.second}"]
        yield evidence.claim(
            "Haarnoja et al. 2018, arXiv:1803.06773",
            f"The {one.combine} of two soft Q-functions does both tasks, without new "
            "experience.",
            of_all_seeds(every, f"both reached in at least {REACHED_BOTH:.0%}"),
            [run for run in evidence.runs if run.id in parts],
            measured=f"{every.sum()} of {len(reached)} seeds reach both objectives in "
            f"at least {REACHED_BOTH:.0%} of episodes ({reached.min():.0%} to "
            f"{reached.max():.0%}; the exact policy does in "
            f"{one.summary['oracle/success']:.0%})",
            name=f"compose/{one.name}",
        )
