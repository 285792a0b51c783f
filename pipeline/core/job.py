"""What is trained together and what comes out of it, as plain values.

They travel between processes, and the process that hands out the work needs no torch to
make or read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import PLAIN, Computation
from pipeline.core.tasks.settings import Task

Array = npt.NDArray[np.generic]


def chunks(members: int, per_process: int) -> list[slice]:
    """Cut a population into parts of nearly equal size.

    What is computed together depends on these two numbers only, never on how many
    workers there are. No part has one member beside larger ones: a batched product of 1
    rounds differently from one of 2 or more. So a part has at most `per_process`
    members, or one more.
    """
    parts = -(-members // per_process)
    if per_process > 1 and members > 1:
        parts = min(parts, members // 2)
    edges = [members * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def trials_together(seeds: int, per_process: int) -> int:
    """How many trials of so many seeds share a job: those there is room for, or one."""
    return max(1, per_process // seeds)


@dataclass(frozen=True)
class Job:
    """One chunk of members, trained side by side."""

    task: Task
    algorithms: tuple[Algorithm, ...]
    """One per member, all of one kind; numbers marked `PerMember` may differ."""
    seeds: tuple[int, ...]
    steps: int
    """Environment steps of every member."""
    start: Mapping[str, Array] | None = field(default=None, compare=False)
    """Networks to begin with, by name, member axis first; None: fresh ones."""
    computation: Computation = PLAIN


@dataclass(frozen=True)
class Failure:
    """Why a member has stopped while the others went on."""

    step: int
    """Environment steps that it had made."""
    reason: str


@dataclass(frozen=True)
class Record:
    """What was measured at one step."""

    step: int
    """Environment steps of every member so far."""
    metrics: dict[str, list[float]]
    """One value per member, NaN: nothing to say; units are in `docs/metrics.md`."""
    failures: dict[int, Failure] = field(default_factory=dict)
    """Of the members that have failed since the record before."""


@dataclass(frozen=True)
class Result:
    """Everything that is kept of a chunk. Arrays have the member axis first."""

    records: list[Record]
    final: dict[str, list[float]]
    """The evaluation after the last step, one value per member."""
    weights: dict[str, Array]
    behaviour: dict[str, Array]
    states: int
    """Width of a state."""
    actions: int
    """Width of an action."""
    failures: dict[int, Failure] = field(default_factory=dict)
    """Of every member that has failed; its numbers are NaN."""
