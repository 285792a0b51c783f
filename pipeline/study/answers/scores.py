"""How a run of `explore` stands beside exact answers, and in tasks not quite its own.

The folder of a score has `run.json`; `scores.csv`, a row for every seed and a column
`ORACLE/METRIC/PLACE` for every oracle that fits the run; `robustness.csv`, with columns
`PERTURBATION/METRIC`; and `behaviour.safetensors`: masses of actions of the policies
and of the oracles at the probe states, and some episodes of each perturbed task.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.distance import cell_masses, oracle_masses, place_name
from pipeline.core.exact.oracle import Oracle
from pipeline.core.job import Array
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.kind import SolvedKind
from pipeline.core.tasks.multigoal.settings import Perturbation
from pipeline.core.tasks.settings import Task
from pipeline.study.answers.oracles import load_oracle, refused
from pipeline.study.params import Study
from pipeline.study.store.files import by_seed, write_arrays, write_csv, write_json
from pipeline.study.store.layout import instance, readable
from pipeline.study.store.runs import Run, load_run
from pipeline.study.store.scores import UNCHANGED

if TYPE_CHECKING:
    from pipeline.core.agents.base import Agent

SHOWN_DRAWS: Final = 20_000
"""Actions at most of which a figure is made; distances have all of `score.draws`."""
Columns: TypeAlias = dict[str, Float[ndarray, " member"]]


@dataclass(frozen=True)
class Scored:
    """Columns of numbers, one per seed, and arrays for figures."""

    columns: Columns
    arrays: dict[str, Array]


def fitting(study: Study, run: Run) -> list[str]:
    """The oracles that a run is judged against.

    Those of its task and temperature; all of its task's, if it has no temperature.
    """
    return [
        name
        for name, settings in study.exact.oracles.items()
        if settings.task == run.task_name
        and (
            run.temperature is None
            or math.isclose(run.temperature, settings.temperature, rel_tol=1e-5)
        )
    ]


def write_score(study: Study, name: str, folder: Path) -> None:
    """Judge a run of `explore` and write what came out.

    Raises:
        UserError: The run or an oracle is missing or damaged.
    """
    run = load_run(study, "explore", name)
    task = run.task
    described: dict[str, Any] = {
        "stage": "score",
        "run": name,
        "task_name": run.task_name,
        "algorithm_name": run.algorithm_name,
        "algorithm": run.algorithm.model_dump(mode="json"),
        "seeds": list(run.seeds),
        "score": study.score.model_dump(mode="json"),
    }
    changed = changed_tasks(task, study.score.robustness.perturbations)
    states = task.compared if isinstance(task, SolvedKind) else np.empty((0, 0))
    if len(states) or changed:
        agent = _agent(run, threads=study.execution.threads)
        oracles = {}
        if len(states):
            oracles = {name: load_oracle(study, name) for name in fitting(study, run)}
        with refused("score"):
            exact = _against(oracles, agent, states, run, study)
        robust = _in_changed_tasks(agent, changed, run, study)
        described["oracles"] = list(oracles)
        for file, scored in (("scores.csv", exact), ("robustness.csv", robust)):
            if scored.columns:
                write_csv(folder / file, *by_seed(run.seeds, scored.columns))
        write_arrays(folder / "behaviour.safetensors", exact.arrays | robust.arrays)
    write_json(folder / "run.json", described)


def _agent(run: Run, *, threads: int) -> "Agent":
    import torch

    from pipeline.core.training.weights import DamagedError, load_policy

    torch.set_num_threads(threads)
    path = run.folder / "weights.safetensors"
    with readable(path, instance(run.stage, run.name)):
        try:
            return load_policy(path)
        except DamagedError as error:
            raise ValueError(error) from None


# ----------------------------------------------------------------- the exact answer


def _against(
    oracles: Mapping[str, Oracle],
    agent: "Agent",
    states: Float[ndarray, "probe state"],
    run: Run,
    study: Study,
) -> Scored:
    """Distances from oracles, and the masses of actions on both sides."""
    sizes = {"draws": study.score.draws, "cells": study.score.cells}
    columns: Columns = {}
    arrays: dict[str, Array] = {"probe_states": states}
    for name, oracle in oracles.items():
        columns |= distances(
            agent, oracle, states, run.seeds, **sizes, prefix=f"{name}/"
        )
        arrays[f"oracle_masses/{name}"] = masses_of(oracle, states, sizes["cells"])
    if run.task.probes is not None or oracles:
        arrays["policy_masses"] = drawn_masses(agent, states, run.seeds, **sizes)
    return Scored(columns, arrays)


def distances(
    agent: "Agent",
    oracle: Oracle,
    states: Float[ndarray, "probe state"],
    seeds: Sequence[int],
    *,
    draws: int,
    cells: int,
    prefix: str,
) -> Columns:
    """Scores against one oracle, as columns `METRIC/PLACE`; without those undefined."""
    from pipeline.core.judging.scoring import score

    found = score(agent, oracle, states, seeds, draws=draws, cells=cells)
    columns = {
        f"{prefix}{metric}/{place_name(state)}": values[:, probe]
        for metric, values in found.items()
        for probe, state in enumerate(states)
    }
    return {name: own for name, own in columns.items() if np.isfinite(own).any()}


def masses_of(
    oracle: Oracle, states: Float[ndarray, "probe state"], cells: int
) -> Float[ndarray, "probe cells cells"]:
    """What the oracle does at each probe state."""
    return np.stack([oracle_masses(oracle, state, cells) for state in states])


def drawn_masses(
    agent: "Agent",
    states: Float[ndarray, "probe state"],
    seeds: Sequence[int],
    *,
    draws: int,
    cells: int,
) -> Float[ndarray, "member probe cells cells"]:
    """What every member does at each probe state, for figures."""
    import torch

    members, draws = len(seeds), min(draws, SHOWN_DRAWS)
    masses = np.empty((members, len(states), cells, cells))
    for probe, state in enumerate(states):
        noise = np.stack(
            [
                stream(seed, "masses", probe).standard_normal(
                    (draws, 2), dtype=np.float32
                )
                for seed in seeds
            ]
        )
        row = torch.from_numpy(state.astype(np.float32))
        repeated = row.expand(members, draws, -1)
        drawn = agent.sample(repeated, torch.from_numpy(noise)).double().numpy()
        masses[:, probe] = [cell_masses(own, cells) for own in drawn]
    return masses


# ------------------------------------------------------------- tasks not quite its own


def changed_tasks(
    task: Task, perturbations: Mapping[str, Perturbation]
) -> dict[str, Task]:
    """The task as it is and as each perturbation that fits it makes it.

    None, for a kind that nothing changes.
    """
    if not task.can_change:
        return {}
    changed: dict[str, Task] = {UNCHANGED: task}
    for name, perturbation in perturbations.items():
        other = task.changed(perturbation)
        if other is not None:
            changed[name] = other
    return changed


def _in_changed_tasks(
    agent: "Agent", tasks: Mapping[str, Task], run: Run, study: Study
) -> Scored:
    if not tasks:
        return Scored({}, {})
    from pipeline.core.judging.robustness import robustness

    settings = study.score.robustness
    columns: Columns = {}
    arrays: dict[str, Array] = {}
    for name, changed in tasks.items():
        found = robustness(
            agent, changed, run.seeds, episodes=settings.episodes, tries=settings.tries
        )
        columns |= {
            f"{name}/{metric}": values for metric, values in found.numbers.items()
        }
        arrays[f"positions/{name}"] = found.positions
    return Scored(columns, arrays)
