"""What a claim is, what it is judged by, and the rules, which are the same for all.

A claim is judged only where the study has the runs for it.

- That one run beats another is `reproduced` if the interval of the probability of
  improvement lies above 1/2, `not reproduced` if it lies below 1/2. Against several
  comparators all intervals must lie above, and one below decides.
- What is claimed of every seed is `reproduced` if it is true of every seed,
  `not reproduced` if it is true of fewer than half.
- All else is `undecided`, and so is whatever has fewer than five seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import Composition, Score

Verdict: TypeAlias = Literal["reproduced", "not reproduced", "undecided"]

FEWEST_SEEDS: Final = 5
"""With fewer, nothing is decided."""


@dataclass(frozen=True)
class Claim:
    """What was claimed, what was measured, and the verdict."""

    source: str
    statement: str
    runs: tuple[str, ...]
    """The runs it was judged by, the claimed winner first."""
    measured: str
    verdict: Verdict


@dataclass(frozen=True)
class Evidence:
    """The results of a study, and how intervals over its seeds are made."""

    runs: Sequence[Run]
    scores: Sequence[Score]
    compositions: Sequence[Composition]
    bootstrap: Bootstrap


def of_all_seeds(true: npt.NDArray[np.bool_]) -> Verdict:
    """The verdict on a claim about every seed, from whether it is true of each."""
    if len(true) < FEWEST_SEEDS:
        return "undecided"
    if true.all():
        return "reproduced"
    return "not reproduced" if true.mean() < 1 / 2 else "undecided"


def of_improvement(interval: Interval, *sides: Run) -> Verdict:
    """The verdict on a claim that one run beats another.

    The interval is of the probability that a seed of the one beats a seed of the other.
    """
    if min(len(run.seeds) for run in sides) < FEWEST_SEEDS:
        return "undecided"
    if interval.low > 1 / 2:
        return "reproduced"
    return "not reproduced" if interval.high < 1 / 2 else "undecided"


def of_all(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim of which each part has one."""
    if "not reproduced" in verdicts:
        return "not reproduced"
    return "reproduced" if set(verdicts) == {"reproduced"} else "undecided"
