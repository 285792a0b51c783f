"""Trials: what was tried and what came of it, and their tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from pipeline.core.config.values import parsed
from pipeline.study.params.ranges import Range
from pipeline.study.params.space import Params, Space, dimensions, read_params
from pipeline.study.params.sweep import Statistic
from pipeline.study.store import layout
from pipeline.study.store.files import read_csv, read_json, write_csv
from pipeline.study.sweep.work import Outcome, State, statistic_of

Fresh: TypeAlias = Mapping[int, float | None]
"""What a setting is worth on seeds by which it was not chosen; None: it failed."""


@dataclass(frozen=True)
class Trial:
    """One setting, tried on all seeds of the sweep."""

    number: int
    """Its name, and its place in the order of the search."""
    params: Params
    outcome: Outcome
    value: float | None
    """Statistic over seeds after training; None, if it is not complete."""
    statistics: Mapping[int, float]
    """The same while training, by step."""

    @classmethod
    def of(
        cls, number: int, params: Params, outcome: Outcome, statistic: Statistic
    ) -> "Trial":
        """A trial with its statistics over seeds."""
        found = {
            step: statistic_of(values, statistic)
            for step, values in outcome.curve.items()
        }
        known = {step: value for step, value in found.items() if value is not None}
        complete = outcome.state == "COMPLETE"
        value = statistic_of(outcome.values, statistic) if complete else None
        return cls(number, params, outcome, value, known)

    @property
    def state(self) -> State:
        """Optuna's word for how it went."""
        return self.outcome.state

    @property
    def reason(self) -> str:
        """Why it is not complete."""
        return self.outcome.reason

    @property
    def values(self) -> list[float | None]:
        """The objective of each seed after training; none, if it ended before."""
        return self.outcome.values


def best(trials: Sequence[Trial]) -> Trial | None:
    """The trial of the largest value, the first of equals; None if there is none."""
    complete = [trial for trial in trials if trial.value is not None]
    return max(complete, key=lambda trial: trial.value or 0.0, default=None)


def worth(best: Trial, fresh: Fresh, statistic: Statistic) -> dict[str, Any]:
    """The best trial's number, its value, and what fresh seeds say of it."""
    on_fresh = statistic_of([*fresh.values()], statistic)
    return {"trial": best.number, "value": best.value, "fresh": on_fresh}


# ---------------------------------------------------------------------------- files

HEAD: Final = ["trial", "state", "value", "reason"]


def write_trials(
    folder: Path, trials: Sequence[Trial], space: Space, seeds: Sequence[int]
) -> None:
    """Write what was tried and what came of it on each seed, and the curves."""
    names = list(dimensions(space))
    write_csv(
        folder / layout.TRIALS,
        [*HEAD, *names, *(f"value_seed_{seed}" for seed in seeds)],
        [
            [
                *(trial.number, trial.state, trial.value, trial.reason),
                *(trial.params.get(name) for name in names),
                *(trial.values or [None] * len(seeds)),
            ]
            for trial in trials
        ],
    )
    write_csv(
        folder / layout.CURVES,
        ["trial", "step", "value", *(f"value_seed_{seed}" for seed in seeds)],
        [
            [trial.number, step, trial.statistics.get(step), *values]
            for trial in trials
            for step, values in trial.outcome.curve.items()
        ],
    )


def write_fresh(folder: Path, values: Fresh) -> None:
    """Write what the best trial's setting is worth on fresh seeds."""
    write_csv(
        folder / layout.FRESH, ["seed", "value"], [[*row] for row in values.items()]
    )


@dataclass(frozen=True)
class FinishedSweep:
    """What the sweep of one algorithm left in `results/sweep`."""

    name: str
    kind: str
    objective: str
    statistic: Statistic
    best: dict[str, Any]
    """`trial`: its number; `value`, and `fresh`: the same statistic of fresh seeds."""
    seeds: list[int]
    steps: int
    space: Space
    trials: list[Trial]
    fresh: Fresh
    """What the best trial's setting is worth on fresh seeds, by seed; None: failed."""

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
            statistic=run["statistic"],
            best=run["best"],
            seeds=run["seeds"],
            steps=run["steps"],
            space=parsed(dict[str, Range], run["space"]),
            trials=[],
            fresh={},
        )
    curves: dict[int, dict[int, list[float | None]]] = {}
    with layout.readable(folder / layout.CURVES, writer):
        for row in read_csv(folder / layout.CURVES):
            curve = curves.setdefault(int(row["trial"]), {})
            curve[int(row["step"])] = _values(row, sweep.seeds)
    with layout.readable(folder / layout.TRIALS, writer):
        rows = read_csv(folder / layout.TRIALS)
        trials = [_trial(row, sweep, curves) for row in rows]
    with layout.readable(folder / layout.FRESH, writer):
        rows = read_csv(folder / layout.FRESH)
        fresh = {int(row["seed"]): _number(row["value"]) for row in rows}
    return replace(sweep, trials=trials, fresh=fresh)


def _trial(
    row: Mapping[str, str],
    sweep: FinishedSweep,
    curves: Mapping[int, dict[int, list[float | None]]],
) -> Trial:
    number, params = int(row["trial"]), read_params(dimensions(sweep.space), row)
    values = _values(row, sweep.seeds)
    if values == [None] * len(values):
        values = []
    state: Any = row["state"]
    ended = Outcome(curves.get(number, {}), values, state, row["reason"])
    return Trial.of(number, params, ended, sweep.statistic)


def _values(row: Mapping[str, str], seeds: Sequence[int]) -> list[float | None]:
    return [_number(row[f"value_seed_{seed}"]) for seed in seeds]


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
