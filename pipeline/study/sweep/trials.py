"""Trials: what was tried and what came of it, in files and in Optuna's words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pipeline.core.config.values import parsed
from pipeline.study.params.sweep import Range
from pipeline.study.store import layout
from pipeline.study.store.files import read_csv, read_json, write_csv

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

Space: TypeAlias = Mapping[str, Range]
"""Dotted names of the numbers that are searched, and where they may lie."""
Params: TypeAlias = dict[str, float]
"""Dotted names, sorted, and what is tried for them."""


@dataclass(frozen=True)
class Trial:
    """One setting, tried on all seeds of the sweep."""

    batch: int
    slot: int
    params: Params
    values: list[float | None]
    """The objective of each seed after training; None: not a finite number."""

    @property
    def name(self) -> str:
        """What it is called wherever trials are shown."""
        return layout.trial_name(self.batch, self.slot)

    @property
    def value(self) -> float | None:
        """Mean over seeds; None if a seed has failed."""
        values = [value for value in self.values if value is not None]
        if len(values) < len(self.values):
            return None
        return math.fsum(values) / len(values)

    @property
    def state(self) -> str:
        """Optuna's word for how it went."""
        return "FAIL" if self.value is None else "COMPLETE"


def best(trials: Sequence[Trial]) -> Trial | None:
    """The trial of the largest value, the first of equals; None if all failed."""
    complete = [trial for trial in trials if trial.value is not None]
    return max(complete, key=lambda trial: trial.value or 0.0, default=None)


# --------------------------------------------------------------------------- optuna


def distributions(space: Space) -> dict[str, "BaseDistribution"]:
    """The space in Optuna's words, sorted, since the order changes the proposals."""
    from optuna.distributions import FloatDistribution

    return {
        name: FloatDistribution(*space[name].bounds, log=space[name].log)
        for name in sorted(space)
    }


def frozen_trials(space: Space, trials: Sequence[Trial]) -> list["FrozenTrial"]:
    """Finished trials in Optuna's words."""
    from optuna.trial import TrialState, create_trial

    ranges = distributions(space)
    return [
        create_trial(
            state=TrialState[trial.state],
            value=trial.value,
            params=trial.params,
            distributions=ranges,
            user_attrs={"trial": trial.name},
        )
        for trial in trials
    ]


# ---------------------------------------------------------------------------- files

HEAD: Final = ["batch", "slot", "state", "value"]


def write_trials(
    path: Path, trials: Sequence[Trial], space: Space, seeds: Sequence[int]
) -> None:
    """Write the table of trials: what was tried, and what came of it on each seed."""
    names = sorted(space)
    write_csv(
        path,
        [*HEAD, *names, *(f"value_seed_{seed}" for seed in seeds)],
        [
            [
                *(trial.batch, trial.slot, trial.state, trial.value),
                *(trial.params[name] for name in names),
                *trial.values,
            ]
            for trial in trials
        ],
    )


@dataclass(frozen=True)
class FinishedSweep:
    """What the sweep of one algorithm left in `results/sweep`."""

    name: str
    kind: str
    objective: str
    best: dict[str, Any]
    """`trial`: the name of one, or None where nothing was searched; `value`."""
    seeds: list[int]
    steps: int
    space: Space
    trials: list[Trial]

    @property
    def complete(self) -> list[Trial]:
        """Trials that have a value."""
        return [trial for trial in self.trials if trial.value is not None]


def load_sweep(folder: Path, kind: str) -> FinishedSweep:
    """Read `results/sweep/<algorithm>/trials`, of an algorithm of that kind."""
    writer = layout.instance("sweep", folder.parent.name)
    with layout.readable(folder / layout.DESCRIBED, writer):
        run = read_json(folder / layout.DESCRIBED)
        sweep = FinishedSweep(
            name=run["run"],
            kind=kind,
            objective=run["objective"],
            best=run["best"],
            seeds=run["seeds"],
            steps=run["steps"],
            space=parsed(dict[str, Range], run["space"]),
            trials=[],
        )
    with layout.readable(folder / layout.TRIALS, writer):
        trials = [
            Trial(
                int(row["batch"]),
                int(row["slot"]),
                {name: float(row[name]) for name in sorted(sweep.space)},
                [_number(row[f"value_seed_{seed}"]) for seed in sweep.seeds],
            )
            for row in read_csv(folder / layout.TRIALS)
        ]
    return replace(sweep, trials=trials)


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
