"""Train a sampler for two soft Q-functions together, and judge it by exact answers.

The folder of a composition has `run.json`, `final.csv` (a row for every seed),
`summary.json` (the oracle's own numbers and the bound on what composing loses),
`weights.safetensors`, and `behaviour.safetensors` for figures.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.composition.answer import CombinedAnswer
from pipeline.core.composition.compose import compose
from pipeline.core.composition.judging import judge
from pipeline.core.exact.rollouts import Episodes
from pipeline.core.judging.evaluation import SHOWN_EPISODES
from pipeline.core.judging.scoring import drawn
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.training.weights import DamagedError, read
from pipeline.study.answers.oracles import refused
from pipeline.study.answers.scores import distances, explored, masses_of
from pipeline.study.backends.pool import pool
from pipeline.study.errors import UserError
from pipeline.study.store import layout
from pipeline.study.store.files import (
    atomic_write,
    by_seed,
    write_arrays,
    write_csv,
    write_json,
)
from pipeline.study.store.runs import Run


def write_composition(said: Mapping[str, Any], folder: Path) -> None:
    """Make a composition as described, judge it, and write what came out.

    Raises:
        UserError: A run is missing or damaged, or the two do not fit.
    """
    first, second = explored(said["first"]), explored(said["second"])
    try:
        with (
            refused(f"compose.runs.{said['run']}"),  # a MisfitError is a ValueError
            pool(said["threads"]) as side_by_side,
        ):
            _write(said, first, second, folder=folder, pool=side_by_side)
    except DamagedError as error:
        writers = f"{first.instance} {second.instance}"
        raise UserError(f"{error}; restore them: dvc repro {writers}") from None


def _write(
    said: Mapping[str, Any], first: Run, second: Run, *, folder: Path, pool: Executor
) -> None:
    torch.set_num_threads(said["threads"])
    rule, one, other = said["combine"], first.task, second.task
    solving = pool.submit(_solved, said, first, second)
    composed = pool.submit(
        compose,
        read(first.folder / layout.WEIGHTS),
        read(second.folder / layout.WEIGHTS),
        visited(first, second),
        rule=rule,
        updates=said["updates"],
    ).result()
    assert isinstance(one, MultiGoal)
    assert isinstance(other, MultiGoal)
    judged = pool.submit(
        judge, composed, one, other, first.seeds, rule=rule,
        episodes=one.evaluation.final_episodes,
    ).result()  # fmt: skip
    exact, episodes = solving.result()
    cells, states = said["cells"], exact.states
    draws = drawn(composed, states, first.seeds, draws=said["draws"], each=pool.map)
    columns = judged.numbers | distances(draws, exact.oracle, cells=cells, prefix="")
    if rule == "average":
        columns |= exact.excesses(composed)
    columns = first.counted(second.counted(columns))
    write_csv(folder / layout.FINAL, *by_seed(first.seeds, columns))
    write_json(folder / layout.SUMMARY, exact.numbers(episodes))
    atomic_write(folder / layout.WEIGHTS, composed.to_bytes())
    arrays = {
        "oracle_masses": masses_of(exact.oracle, states, cells),
        "oracle_positions": episodes.positions[:SHOWN_EPISODES].astype(np.float32),
        "policy_masses": draws.masses(cells),
        "positions": judged.positions,
        "probe_states": states,
    }
    write_arrays(folder / layout.BEHAVIOUR, arrays)
    write_json(folder / layout.DESCRIBED, _described(said, first, second))


def _solved(
    said: Mapping[str, Any], first: Run, second: Run
) -> tuple[CombinedAnswer, Episodes]:
    """What is known exactly, while the sampler learns."""
    one, other = first.task, second.task
    assert isinstance(one, MultiGoal)
    assert isinstance(other, MultiGoal)
    assert first.temperature is not None  # soft Q-learning has one
    exact = CombinedAnswer(
        one,
        other,
        said["combine"],
        temperature=first.temperature,
        spacing=said["spacing"],
    )
    return exact, exact.episodes(f"composition {said['run']}")


def _described(said: Mapping[str, Any], first: Run, second: Run) -> dict[str, Any]:
    return {
        "stage": "compose",
        "run": said["run"],
        "task_name": f"{first.task_name} and {second.task_name}",
        "algorithm_name": first.algorithm_name,
        "algorithm": first.algorithm.model_dump(mode="json"),
        "seeds": list(first.seeds),
        **{name: said[name] for name in ("first", "second", "combine", "updates")},
    }


def visited(first: Run, second: Run) -> Float[ndarray, "member n 2"]:
    """States that each seed has seen in both trainings."""
    both = [run.behaviour()["visited"] for run in (first, second)]
    return np.concatenate(both, axis=1).astype(np.float64)
