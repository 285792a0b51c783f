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
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pipeline.study.store.files import read_json, write_json
from pipeline.study.sweep.trials import (
    Params,
    Space,
    Trial,
    distributions,
    frozen_trials,
)

Evaluate: TypeAlias = Callable[[int, Sequence[Params]], list[list[float]]]
"""Number of a batch and what it tries, to one value per trial and seed."""


def search(
    space: Space,
    *,
    seed: int,
    random_trials: int,
    batches: int,
    size: int,
    finished: "FinishedBatches",
    evaluate: Evaluate,
) -> Iterator[list[Trial]]:
    """Compute batch after batch, or take those that are finished; yields all so far.

    `size` is that of a batch. So many complete trials are random before they guide the
    search.
    """
    history: list[Trial] = []
    for batch in range(batches):
        proposed = propose(
            space,
            history,
            seed=seed,
            random_trials=random_trials,
            batch=batch,
            size=size,
        )
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


# --------------------------------------------------------------------------- optuna


def propose(
    space: Space,
    history: Sequence[Trial],
    *,
    seed: int,
    random_trials: int,
    batch: int,
    size: int,
) -> list[Params]:
    """What a batch tries: at random at first, then where good trials lie.

    `history` has the trials of all batches before.
    """
    import optuna  # takes 0.3 s, which a sweep of no batches need not pay

    (state,) = np.random.SeedSequence([seed, batch]).generate_state(1)
    sampler = optuna.samplers.TPESampler(
        seed=int(state), n_startup_trials=random_trials
    )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(frozen_trials(space, history))
    ranges = distributions(space)
    asked = [study.ask(ranges).params for _ in range(size)]
    return [{name: float(params[name]) for name in ranges} for params in asked]


# ---------------------------------------------------------------------------- files


class FinishedBatches:
    """A file for every batch of one sweep, of which nothing damaged is believed."""

    def __init__(self, folder: Path) -> None:
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
