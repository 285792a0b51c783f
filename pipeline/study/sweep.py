"""A sweep as a function of its description.

Trials come in batches of one size. What batch b tries depends on the trials before it,
the sweep's seed and b alone: Optuna's sampler is made anew for every batch, and told
the history in its order. A batch is asked for as a whole before any of it is told, so
it does not matter how many workers train it, or when. The batches that are finished are
files, and the truth; whoever starts again, or wants more batches, begins with them.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from pipeline.study.files import read_json, write_csv, write_json
from pipeline.study.params import Range

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

Space: TypeAlias = Mapping[str, Range]
"""Dotted names of the numbers that are searched, and where they may lie."""
Params: TypeAlias = dict[str, float]
"""Dotted names, sorted, and what is tried for them."""
Evaluate: TypeAlias = Callable[[int, Sequence[Params]], list[list[float]]]
"""Number of a batch and what it tries, to one value per trial and seed."""

GUIDED_AFTER: Final = 4
"""Complete trials before they guide the search; until then it is random."""


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
        return f"{self.batch}.{self.slot}"

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


def search(
    space: Space,
    *,
    seed: int,
    batches: int,
    size: int,
    finished: "FinishedBatches",
    evaluate: Evaluate,
) -> Iterator[list[Trial]]:
    """Compute batch after batch, or take those that are finished.

    Args:
        space: What is searched.
        seed: Of the sweep.
        batches: How many there are.
        size: Trials in each.
        finished: Where they are kept.
        evaluate: Trains the trials of a batch.

    Yields:
        All trials so far, after each batch.
    """
    history: list[Trial] = []
    for batch in range(batches):
        proposed = propose(space, history, seed=seed, batch=batch, size=size)
        trials = finished.load(batch)
        if [trial.params for trial in trials] != proposed:
            values = evaluate(batch, proposed)
            trials = [
                Trial(batch, slot, params, [_finite(value) for value in row])
                for slot, (params, row) in enumerate(zip(proposed, values, strict=True))
            ]
            finished.save(batch, trials)
        history += trials
        yield list(history)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def best(trials: Sequence[Trial]) -> Trial | None:
    """The trial of the largest value, the first of equals; None if all failed."""
    complete = [trial for trial in trials if trial.value is not None]
    return max(complete, key=lambda trial: trial.value or 0.0, default=None)


# --------------------------------------------------------------------------- optuna


def propose(
    space: Space, history: Sequence[Trial], *, seed: int, batch: int, size: int
) -> list[Params]:
    """What a batch tries: at random at first, then where good trials lie.

    Args:
        space: What is searched.
        history: The trials of all batches before.
        seed: Of the sweep.
        batch: Number of the batch.
        size: Trials in it.
    """
    import optuna  # takes 0.3 s, which a sweep of no batches need not pay

    (state,) = np.random.SeedSequence([seed, batch]).generate_state(1)
    sampler = optuna.samplers.TPESampler(seed=int(state), n_startup_trials=GUIDED_AFTER)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(frozen_trials(space, history))
    ranges = distributions(space)
    asked = [study.ask(ranges).params for _ in range(size)]
    return [{name: float(params[name]) for name in ranges} for params in asked]


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


class FinishedBatches:
    """A file for every finished batch, of which nothing damaged is believed."""

    def __init__(self, folder: Path) -> None:
        """Use the batches in a folder that belongs to this sweep alone."""
        self._folder = folder

    def _path(self, batch: int) -> Path:
        return self._folder / f"batch_{batch}.json"

    def save(self, batch: int, trials: Sequence[Trial]) -> None:
        """Keep a batch, whole or not at all."""
        listed = [asdict(trial) for trial in trials]
        content = {"trials": listed, "sha256": _digest(listed)}
        write_json(self._path(batch), content)

    def load(self, batch: int) -> list[Trial]:
        """The trials of a batch; none if there is no such file or it is damaged."""
        try:
            content = read_json(self._path(batch))
            if content["sha256"] != _digest(content["trials"]):
                return []
            return [Trial(**trial) for trial in content["trials"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []


def _digest(trials: Sequence[Mapping[str, Any]]) -> str:
    text = json.dumps(trials, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


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
