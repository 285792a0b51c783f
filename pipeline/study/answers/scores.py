"""How a run of `explore` stands beside exact answers, and in tasks not quite its own.

The folder of a score has `run.json`; `scores.csv`, a row for every seed and a column
`ORACLE/METRIC/PLACE` for every oracle that fits the run; `robustness.csv`, with columns
`PERTURBATION/METRIC`; and `behaviour.safetensors`: masses of actions of the policies
and of the oracles at the probe states, and some episodes of each perturbed task.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.config.values import parsed
from pipeline.core.exact.distance import oracle_masses, place_name
from pipeline.core.exact.oracle import Oracle
from pipeline.core.job import Array
from pipeline.core.tasks.answers import answer_to
from pipeline.core.tasks.kind import Kind
from pipeline.core.tasks.multigoal.settings import Perturbation
from pipeline.study.answers.oracles import load_numbers, load_oracle, refused
from pipeline.study.backends.pool import pool
from pipeline.study.command import description
from pipeline.study.params.exact import Score
from pipeline.study.store import layout
from pipeline.study.store.files import by_seed, write_arrays, write_csv, write_json
from pipeline.study.store.runs import Run, same_temperature
from pipeline.study.store.scores import UNCHANGED
from pipeline.study.training.results import load_run

if TYPE_CHECKING:
    from pipeline.core.agents.base import Agent
    from pipeline.core.judging.evaluation import Judged
    from pipeline.core.judging.scoring import Draws

Columns: TypeAlias = dict[str, Float[ndarray, " member"]]


@dataclass(frozen=True)
class Scored:
    """Columns of numbers, one per seed, and arrays for figures."""

    columns: Columns
    arrays: dict[str, Array]


def write_score(said: Mapping[str, Any], folder: Path) -> None:
    """Judge a run of `explore` as described, and write what came out.

    Raises:
        UserError: The run or an oracle is missing or damaged.
    """
    run = explored(said["run"])
    score = None if said["score"] is None else parsed(Score, said["score"])
    described: dict[str, Any] = {
        "stage": "score",
        "run": run.name,
        "task_name": run.task_name,
        "algorithm_name": run.algorithm_name,
        "algorithm": run.algorithm.model_dump(mode="json"),
        "seeds": list(run.seeds),
        "score": said["score"],
        "oracles": None,
    }
    answer = answer_to(run.task)
    states = None if answer is None else answer.compared
    if score is not None and (states is not None or run.task.can_change):
        agent = _agent(run, threads=said["threads"])
        oracles = _fitting(run, said["oracles"]) if states is not None else {}
        changed = changed_tasks(run.task, score.robustness.perturbations)
        with pool(said["threads"]) as side_by_side:
            judged = _in_changed_tasks(agent, changed, run, score, side_by_side)
            with refused("score"):
                exact = _against(oracles, agent, states, run, score, side_by_side)
            exact.columns.update(_balance(oracles, run))
            robust = _robust(changed, judged)
        described["oracles"] = list(oracles)
        for file, scored in ((layout.SCORES, exact), (layout.ROBUSTNESS, robust)):
            if scored.columns:
                columns = run.counted(scored.columns)
                write_csv(folder / file, *by_seed(run.seeds, columns))
        write_arrays(folder / layout.BEHAVIOUR, exact.arrays | robust.arrays)
    write_json(folder / layout.DESCRIBED, described)


def explored(name: str) -> Run:
    """A run of `explore` that others have been asked about.

    Raises:
        UserError: It is missing, damaged, or another than its description.
    """
    return load_run("explore", name, description("explore", name))


def _fitting(run: Run, temperatures: Mapping[str, float]) -> dict[str, Oracle]:
    """The oracles that a run is judged against.

    Those of its temperature; all of its task's, if its learner knows none; none, if its
    temperature is automatic.
    """
    return {
        name: load_oracle(name)
        for name, temperature in temperatures.items()
        if not run.algorithm.has_temperature()
        or same_temperature(run.temperature, temperature)
    }


def _agent(run: Run, *, threads: int) -> "Agent":
    import torch

    from pipeline.core.training.weights import DamagedError, load_policy

    torch.set_num_threads(threads)
    path = run.folder / layout.WEIGHTS
    with layout.readable(path, run.instance):
        try:
            return load_policy(path)
        except DamagedError as error:
            raise ValueError(error) from None


# ----------------------------------------------------------------- the exact answer


def _against(
    oracles: Mapping[str, Oracle],
    agent: "Agent",
    states: Float[ndarray, "probe state"] | None,
    run: Run,
    score: Score,
    pool: Executor,
) -> Scored:
    """Distances from oracles, and the masses of actions on both sides."""
    if states is None:
        return Scored({}, {})
    arrays: dict[str, Array] = {"probe_states": states} | {
        f"oracle_masses/{name}": masses_of(oracle, states, score.cells)
        for name, oracle in oracles.items()
    }
    if run.task.probes is None and not oracles:
        return Scored({}, arrays)
    from pipeline.core.judging.scoring import drawn

    draws = drawn(agent, states, run.seeds, draws=score.draws, each=pool.map)
    arrays["policy_masses"] = draws.masses(score.cells)
    columns: Columns = {}
    for name, oracle in oracles.items():
        columns |= distances(draws, oracle, cells=score.cells, prefix=f"{name}/")
    return Scored(columns, arrays)


def _balance(oracles: Iterable[str], run: Run) -> Columns:
    """How far the shares of the ways that a run takes are from the exact policy's."""
    answer, ways = answer_to(run.task), run.task.ways
    if answer is None or not ways:
        return {}
    shares = np.stack([run.final[way] for way in ways])
    return {
        f"{name}/ways_total_variation/{place_name(answer.start)}": way_distance(
            shares, np.array([load_numbers(name)[way] for way in ways])
        )
        for name in oracles
    }


def way_distance(
    shares: Float[ndarray, "way member"], exact: Float[ndarray, " way"]
) -> Float[ndarray, " member"]:
    """Total variation between shares of ways; what is left over is a way of its own."""
    off = shares - exact[:, None]
    return np.asarray((np.abs(off).sum(axis=0) + np.abs(off.sum(axis=0))) / 2)


def distances(draws: "Draws", oracle: Oracle, *, cells: int, prefix: str) -> Columns:
    """Scores against one oracle, as columns `METRIC/PLACE`; without those undefined."""
    from pipeline.core.judging.scoring import score

    columns = {
        f"{prefix}{metric}/{place_name(state)}": values[:, probe]
        for metric, values in score(draws, oracle, cells=cells).items()
        for probe, state in enumerate(draws.states)
    }
    return {name: own for name, own in columns.items() if np.isfinite(own).any()}


def masses_of(
    oracle: Oracle, states: Float[ndarray, "probe state"], cells: int
) -> Float[ndarray, "probe cells cells"]:
    """What the oracle does at each probe state."""
    return np.stack([oracle_masses(oracle, state, cells) for state in states])


# ------------------------------------------------------------- tasks not quite its own


def changed_tasks(
    task: Kind, perturbations: Mapping[str, Perturbation]
) -> dict[str, Kind]:
    """The task as it is and as each perturbation that fits it makes it.

    None, for a kind that nothing changes.
    """
    if not task.can_change:
        return {}
    changed: dict[str, Kind] = {UNCHANGED: task}
    for name, perturbation in perturbations.items():
        other = task.changed(perturbation)
        if other is not None:
            changed[name] = other
    return changed


def _in_changed_tasks(
    agent: "Agent", tasks: Mapping[str, Kind], run: Run, score: Score, pool: Executor
) -> Iterator["Judged"]:
    """How every member does in each task, begun at once and waited for when asked."""
    from pipeline.core.judging.robustness import robustness

    settings = score.robustness
    each = partial(
        robustness,
        agent,
        seeds=run.seeds,
        episodes=settings.episodes,
        attempts=settings.attempts,
    )
    return pool.map(each, tasks.values())


def _robust(tasks: Iterable[str], judged: Iterable["Judged"]) -> Scored:
    columns: Columns = {}
    arrays: dict[str, Array] = {}
    for name, found in zip(tasks, judged, strict=True):
        columns |= {
            f"{name}/{metric}": values for metric, values in found.numbers.items()
        }
        arrays[f"positions/{name}"] = found.positions
    return Scored(columns, arrays)
