"""Train a sampler for two soft Q-functions together, and judge it by exact answers.

The folder of a composition has `run.json`, `final.csv` (a row for every seed),
`summary.json` (the oracle's own numbers and the bound on what composing loses),
`weights.safetensors`, and `behaviour.safetensors` for figures.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.composition.answer import CombinedAnswer
from pipeline.core.composition.compose import compose
from pipeline.core.composition.judging import judge
from pipeline.core.judging.evaluation import SHOWN_EPISODES
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.training.weights import DamagedError
from pipeline.study.answers.oracles import refused
from pipeline.study.answers.scores import distances, drawn_masses, masses_of
from pipeline.study.errors import UserError
from pipeline.study.params import ComposedRun, Study
from pipeline.study.store.files import (
    atomic_write,
    by_seed,
    write_arrays,
    write_csv,
    write_json,
)
from pipeline.study.store.layout import (
    BEHAVIOUR,
    DESCRIBED,
    FINAL,
    SUMMARY,
    WEIGHTS,
    instance,
)
from pipeline.study.store.runs import Run, load_run


def write_composition(study: Study, name: str, folder: Path) -> None:
    """Make a composition, judge it, and write what came out.

    Raises:
        UserError: A run is missing or damaged, or the two do not fit.
    """
    settings = study.compose.runs[name]
    first, second = (
        load_run(study, "explore", run) for run in (settings.first, settings.second)
    )
    try:
        with refused(f"compose.runs.{name}"):  # a MisfitError is a ValueError
            _write(study, name, first, second, folder=folder)
    except DamagedError as error:
        writers = " ".join(instance("explore", run.name) for run in (first, second))
        raise UserError(f"{error}; restore them: dvc repro {writers}") from None


def _write(study: Study, name: str, first: Run, second: Run, *, folder: Path) -> None:
    torch.set_num_threads(study.execution.threads)
    settings = study.compose.runs[name]
    one, other = first.task, second.task
    assert isinstance(one, MultiGoal)
    assert isinstance(other, MultiGoal)
    assert first.temperature is not None  # soft Q-learning has one
    composed = compose(
        first.folder / WEIGHTS,
        second.folder / WEIGHTS,
        visited(first, second),
        rule=settings.combine,
        updates=settings.updates,
    )
    judged = judge(
        composed, one, other, first.seeds, rule=settings.combine,
        episodes=one.evaluation.final_episodes,
    )  # fmt: skip
    exact = CombinedAnswer(
        one, other, settings.combine,
        temperature=first.temperature, spacing=study.exact.spacing,
    )  # fmt: skip
    sizes = {"draws": study.score.draws, "cells": study.score.cells}
    states = one.compared
    columns = judged.numbers | distances(
        composed, exact.oracle, states, first.seeds, **sizes, prefix=""
    )
    if settings.combine == "average":
        columns |= exact.excesses(composed)
    episodes = exact.episodes(f"composition {name}")
    write_csv(folder / FINAL, *by_seed(first.seeds, columns))
    write_json(folder / SUMMARY, exact.numbers(episodes))
    atomic_write(folder / WEIGHTS, composed.to_bytes())
    arrays = {
        "oracle_masses": masses_of(exact.oracle, states, study.score.cells),
        "oracle_positions": episodes.positions[:SHOWN_EPISODES].astype(np.float32),
        "policy_masses": drawn_masses(composed, states, first.seeds, **sizes),
        "positions": judged.positions,
        "probe_states": states,
    }
    write_arrays(folder / BEHAVIOUR, arrays)
    write_json(folder / DESCRIBED, _described(name, settings, first, second))


def _described(
    name: str, settings: ComposedRun, first: Run, second: Run
) -> dict[str, Any]:
    return {
        "stage": "compose",
        "run": name,
        "task_name": f"{first.task_name} and {second.task_name}",
        "algorithm_name": first.algorithm_name,
        "algorithm": first.algorithm.model_dump(mode="json"),
        "seeds": list(first.seeds),
        **settings.model_dump(mode="json"),
    }


def visited(first: Run, second: Run) -> Float[ndarray, "member n 2"]:
    """States that each seed has seen in both trainings."""
    both = [run.behaviour()["visited"] for run in (first, second)]
    return np.concatenate(both, axis=1).astype(np.float64)
