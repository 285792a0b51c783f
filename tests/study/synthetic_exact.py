"""Well-formed exact answers, scores and compositions of a study that was never run."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.answers.scores import changed_tasks
from pipeline.study.answers.theorems import write_theorems
from pipeline.study.params.exact import Theorems
from pipeline.study.params.study import Study
from pipeline.study.store.files import by_seed, write_arrays, write_csv, write_json

PROBES = np.array([[-2.0, 0.0], [0.0, 0.0], [2.5, 2.5]])
PLACES = ("-2:0", "0:0", "2.5:2.5")
DIVERGENCE = {"sql": 0.05, "sac": 0.6, "ddpg": 9.0, "reinforce": 0.7}
MASTERED = {"sql": 0.95, "sac": 0.7, "ddpg": 0.4, "reinforce": 0.7}


def write_exact(study: Study, root: Path) -> None:
    """Write theorems, oracles, scores and compositions below `root`."""
    shutil.copytree(
        _theorems(study.theorems), root / "results/exact/theorems", dirs_exist_ok=True
    )
    for name in study.oracles:
        write_oracle(study, name, root / "results/exact/oracles" / name)
    for name, run in study.runs("explore").items():
        task, folder = study.tasks[run.task], root / "results/runs/score" / name
        if isinstance(task, MultiGoal):
            write_score(study, name, task, folder)
        else:
            write_json(folder / "run.json", {"oracles": None})
    for name in study.compositions:
        write_composition(study, root / "results/runs/compose" / name)


@cache
def _theorems(settings: Theorems) -> Path:
    """Computed once: they need no training."""
    folder = Path(tempfile.mkdtemp()) / "theorems"
    write_theorems({"settings": settings.model_dump()}, folder)
    return folder


def write_oracle(study: Study, name: str, folder: Path) -> None:
    write_json(folder / "run.json", {"stage": "exact", "run": name})
    write_json(
        folder / "summary.json",
        {
            "value": -122.4,
            "entropy": 1.28,
            "entropy_at_starts": 1.19,
            "nearest_goal": 0.4,
            "return": -192.0,
            "return_deviation": 39.0,
            "episode_length": 10.0,
            "success": 1.0,
            **{f"goal_{goal}": 0.25 for goal in range(4)},
            **{f"best_gaussian/{place}": 0.39 for place in PLACES},
            "refinement_change": 0.001,
        },
    )
    line = np.linspace(-7, 7, 29)
    arrays = {
        "v": -10.0 * np.hypot(*np.meshgrid(line, line, indexing="ij")),
        "positions": _walks(np.random.default_rng(0), 20),
        "probe_states": PROBES,
        "probe_masses": _masses(3, 41),
    }
    write_arrays(folder / "oracle.safetensors", arrays)


def write_score(study: Study, name: str, task: MultiGoal, folder: Path) -> None:
    run, seeds = study.runs("explore")[name], study.study.seeds
    algorithm = study.algorithms[run.algorithm]
    rng = np.random.default_rng(len(name))
    oracles = [
        oracle
        for oracle, settings in study.oracles.items()
        if settings.task == run.task
        and (algorithm.kind == "ddpg" or run.temperature == settings.temperature)
    ]
    write_json(
        folder / "run.json",
        {
            "stage": "score",
            "run": name,
            "task_name": run.task,
            "algorithm_name": run.algorithm,
            "seeds": list(seeds),
            "oracles": oracles,
        },
    )
    exact = {
        f"{oracle}/{metric}/{place}": rng.exponential(DIVERGENCE[algorithm.kind], 9)
        for oracle in oracles
        for metric in ("reverse_kl", "forward_kl", "total_variation", "value_error")
        for place in PLACES
        if metric != "value_error" or algorithm.kind != "ddpg"
    }
    changed = changed_tasks(task, study.perturbations)
    robustness: dict[str, Any] = {}
    for change in changed:
        mastered = MASTERED[algorithm.kind] + 0.05 * rng.random(9)
        robustness |= {
            f"{change}/success": 0.6 * mastered,
            f"{change}/success_of_any": mastered,
            f"{change}/return": rng.normal(-150, 5, 9),
            f"{change}/episode_length": rng.normal(10, 1, 9),
        }
    if exact:
        write_csv(folder / "scores.csv", *by_seed(seeds, exact))
    write_csv(folder / "robustness.csv", *by_seed(seeds, robustness))
    arrays = {
        "probe_states": PROBES,
        "policy_masses": np.stack([_masses(3, study.score.cells)] * len(seeds)),
        **{f"oracle_masses/{each}": _masses(3, study.score.cells) for each in oracles},
        **{f"positions/{each}": _population(rng, len(seeds)) for each in changed},
    }
    write_arrays(folder / "behaviour.safetensors", arrays)


def write_composition(study: Study, folder: Path) -> None:
    seeds, rng = study.study.seeds, np.random.default_rng(5)
    columns = {
        "success": 0.92 + 0.05 * rng.random(9),
        "success_first": 0.95 + 0.05 * rng.random(9),
        "success_second": 0.95 + 0.05 * rng.random(9),
        "return": rng.normal(20, 3, 9),
        "rarest_shared_goal": 0.3 + 0.1 * rng.random(9),
        "largest_excess": rng.normal(13, 1, 9),
        **{f"reverse_kl/{place}": rng.exponential(0.1, 9) for place in PLACES},
    }
    write_csv(folder / "final.csv", *by_seed(seeds, columns))
    write_json(
        folder / "run.json",
        {
            "stage": "compose",
            "run": folder.name,
            "task_name": "corners_east and corners_west",
            "algorithm_name": "sql",
            "seeds": list(seeds),
        },
    )
    write_json(
        folder / "summary.json",
        {
            "oracle/success": 0.99,
            "oracle/return": 25.0,
            "oracle/rarest_shared_goal": 0.49,
            "bound/largest_loss": 12.0,
            "bound/largest": 80.0,
        },
    )
    arrays = {
        "probe_states": PROBES,
        "positions": _population(rng, len(seeds)),
        "oracle_positions": _walks(rng, 20),
        "policy_masses": np.stack([_masses(3, study.score.cells)] * len(seeds)),
        "oracle_masses": _masses(3, study.score.cells),
    }
    write_arrays(folder / "behaviour.safetensors", arrays)


def _walks(rng: Any, episodes: int) -> Any:
    steps = rng.normal(scale=0.6, size=(episodes, 12, 2))
    return np.clip(steps.cumsum(axis=1), -7, 7).astype(np.float32)


def _population(rng: Any, members: int) -> Any:
    return np.stack([_walks(rng, 10) for _ in range(members)])


def _masses(states: int, cells: int) -> Any:
    line = np.linspace(-1, 1, cells)
    bump = np.exp(-8 * (line[:, None] ** 2 + (line - 0.5) ** 2))
    return np.stack([bump / bump.sum()] * states)
