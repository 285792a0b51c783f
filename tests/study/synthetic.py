"""Well-formed results of a study that was never run, for whoever reads results."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.agents.settings import Ddpg, Sac, Sql
from pipeline.core.tasks.directions import direction_spread
from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.core.tasks.multigoal.arena import FOUR_GOALS
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.tasks.settings import Task
from pipeline.study.params.load import load_study
from pipeline.study.params.space import Space
from pipeline.study.params.study import Study
from pipeline.study.store import files
from pipeline.study.store.layout import STAGES
from pipeline.study.sweep.trials import write_fresh, write_trials
from tests.study.checked import check
from tests.study.made_sweeps import made
from tests.study.synthetic_exact import write_exact

FINAL_EPISODES = 200
KEPT_EPISODES = 50
GOALS = FOUR_GOALS.objectives[0]
GRID = np.linspace(-1, 1, 41)
PROBES = np.array([[-2.5, 0.0], [0.0, 0.0], [2.5, 2.5]])


def small_study(root: Path) -> Study:
    """A study of every stage and algorithm, with its results, below `root`."""
    shutil.copy(Path(__file__).with_name("small.yaml"), root / "params.yaml")
    study = check(load_study(root / "params.yaml"), root)
    write_results(study, root)
    return study


def write_results(study: Study, root: Path) -> None:
    """Write `results/sweep` and `results/runs` of every run below `root`."""
    for name in study.sweep.runs:
        _write_sweep(study, name, root / "results/sweep" / name)
    for stage in STAGES:
        for name in study.runs(stage):
            write_run(study, stage, name, root / "results/runs" / stage / name)
    write_exact(study, root)


def let_fail(run: Path, seeds: Iterable[int]) -> None:
    """Let seeds of a run have failed after 1000 steps."""
    for name in ("final.csv", "records.csv"):
        rows = files.read_csv(run / name)
        for row in rows:
            if int(row["seed"]) in seeds and int(row.get("step", 1000)) >= 1000:
                row |= dict.fromkeys(row.keys() - {"seed", "step"}, "")
        files.write_csv(run / name, list(rows[0]), [list(row.values()) for row in rows])
    failures = [(seed, 1000, "its reward is nan") for seed in seeds]
    files.write_csv(run / "failures.csv", ["seed", "step", "reason"], failures)


def write_run(study: Study, stage: str, name: str, folder: Path) -> None:
    """Write one run: goals are chosen at random by SQL, half of them by SAC."""
    run = study.runs(stage)[name]
    total = study.steps(stage, run)
    task, algorithm = study.tasks[run.task], study.algorithms[run.algorithm]
    if run.temperature is not None:
        algorithm = algorithm.with_temperature(run.temperature)
    generator = np.random.default_rng(abs(hash_of(f"{stage}/{name}")))
    files.write_json(
        folder / "run.json",
        {
            "key": "0" * 32,
            "stage": stage,
            "run": name,
            "task_name": run.task,
            "task": task.model_dump(mode="json"),
            "algorithm_name": run.algorithm,
            "algorithm": algorithm.model_dump(mode="json"),
            "seeds": list(study.study.seeds),
            "steps": total,
            "start": run.start,
            "swept": run.temperature is None and study.is_searched(run.algorithm),
        },
    )
    if isinstance(task, MultiGoal):
        final, behaviour = _multigoal(algorithm, len(study.study.seeds), generator)
    elif isinstance(task, Gymnasium):
        final = {"return": generator.normal(-150, 20, len(study.study.seeds))}
        behaviour = {}
    else:
        spread = algorithm.kind == "sql" and stage == "pretrain"
        final, behaviour = _plane(spread, len(study.study.seeds), generator)
    quick = 3.0 if run.start else 1.0
    curves = _curves(study, task, final, steps=total, quick=quick, rng=generator)
    if isinstance(task, MultiGoal) and stage == "explore":
        score = np.array(curves["evaluation/goals_reached"])
        steps = np.array(curves["step"])
        final["steps_to_all_goals"] = np.array(
            [next(iter(steps[row == 4]), np.nan) for row in score.T]
        )
    _write_tables(study, folder, final, curves)
    if behaviour:
        files.write_arrays(folder / "behaviour.safetensors", behaviour)


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(text.encode()[-8:], "little")


def _write_tables(study: Study, folder: Path, final: Any, curves: Any) -> None:
    seeds = study.study.seeds
    files.write_csv(folder / "final.csv", *files.by_seed(seeds, final))
    metrics = [name for name in curves if name != "step"]
    rows = [
        [seed, step, *(curves[name][at][i] for name in metrics)]
        for i, seed in enumerate(seeds)
        for at, step in enumerate(curves["step"])
    ]
    files.write_csv(folder / "records.csv", ["seed", "step", *metrics], rows)


def _curves(
    study: Study, task: Task, final: Any, *, steps: int, quick: float, rng: Any
) -> dict[str, Any]:
    """Every final metric grows towards its end, with noise, from the first record."""
    step = [*np.arange(100, steps, 100).tolist(), steps]
    measured = np.array([s % task.evaluation.every == 0 or s == steps for s in step])
    growth = 1 - np.exp(-quick * 3 * np.array(step) / steps)
    result: dict[str, Any] = {"step": step}
    for name, last in final.items():
        noise = rng.normal(scale=0.05, size=(len(step), len(last)))
        values = growth[:, None] * last * (1 + noise)
        if name == "goals_reached":
            values = np.round(np.minimum(values * 1.05, last))
        values[~measured] = np.nan
        result[f"evaluation/{name}"] = values
    result["train/q_loss"] = rng.exponential(size=(len(step), len(study.study.seeds)))
    return result


def _multigoal(algorithm: Sql | Sac | Ddpg, seeds: int, rng: Any) -> tuple[Any, Any]:
    goals = {"sql": 4, "sac": 3, "ddpg": 1}[algorithm.kind]
    alpha = 0.0 if isinstance(algorithm, Ddpg) else algorithm.temperature.fixed
    favourites = np.array([rng.permutation(4)[:goals] for _ in range(seeds)])
    chosen = np.array([rng.choice(row, FINAL_EPISODES) for row in favourites])
    frequency = np.array([(chosen == goal).mean(axis=1) for goal in range(4)])
    share = np.where(frequency > 0, frequency, 1)
    final = {
        "return": -130 - 2 * alpha + rng.normal(scale=4, size=seeds),
        "episode_length": 8 + rng.random(seeds),
        **{f"goal_{goal}": frequency[goal] for goal in range(4)},
        "multi_goal_score": np.minimum(frequency, 0.25).sum(axis=0),
        "goals_reached": (frequency > 0.01).sum(axis=0).astype(float),
        "goal_entropy": -(share * np.log(share)).sum(axis=0),
        "success": frequency.sum(axis=0),
    }
    path = _walks(GOALS[chosen[:, :KEPT_EPISODES]], 0.02 * alpha, rng)
    return final, {"positions": path, **_probes(algorithm, alpha, seeds, rng)}


def _walks(goal: Any, wander: float, rng: Any) -> Any:
    """Paths `[member, episode, 31, 2]` from the origin to each goal, NaN after it."""
    path = np.full((*goal.shape[:2], 31, 2), np.nan, dtype=np.float32)
    here = 0.1 * rng.standard_normal(goal.shape)
    walking = np.ones(goal.shape[:2], dtype=bool)
    for time in range(31):
        path[:, :, time] = np.where(walking[..., None], here, np.nan)
        away = np.linalg.norm(here - goal, axis=-1)
        walking &= away >= 1
        towards = 0.6 * (goal - here) / np.maximum(away, 1)[..., None]
        here = np.clip(here + towards + wander * rng.standard_normal(goal.shape), -7, 7)
    return path


def _probes(algorithm: Any, alpha: float, seeds: int, rng: Any) -> dict[str, Any]:
    action = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1)
    q = np.zeros((seeds, len(PROBES), 41, 41), dtype=np.float32)
    drawn = np.zeros((seeds, len(PROBES), 500, 2), dtype=np.float32)
    for probe, state in enumerate(PROBES):
        after = state + action
        near = np.linalg.norm(after[..., None, :] - GOALS, axis=-1).min(axis=-1)
        value = -30 * (action**2).sum(axis=-1) - 24 * near
        for member in range(seeds):
            q[member, probe] = value
            if algorithm.kind == "ddpg":
                index = np.full(500, value.argmax())
            else:
                weight = np.exp((value - value.max()) / alpha).ravel()
                index = rng.choice(value.size, 500, p=weight / weight.sum())
            jitter = 0.02 * rng.standard_normal((500, 2)) * (alpha > 0)
            drawn[member, probe] = np.clip(action.reshape(-1, 2)[index] + jitter, -1, 1)
    result = {"probe_states": PROBES, "probe_actions": drawn, "probe_q": q}
    if alpha:
        result["temperature"] = np.full(seeds, alpha, dtype=np.float32)
    return result


def _plane(spread: bool, seeds: int, rng: Any) -> tuple[Any, Any]:
    """Bodies that drift: each seed in its own direction, or each episode in its own."""
    angle = rng.uniform(-np.pi, np.pi, (seeds, 10 if spread else 1))
    angle = angle + 0.1 * rng.standard_normal((seeds, 10))
    pace = rng.uniform(0.005, 0.02, (seeds, 10))
    swing = 0.02 * np.sin(np.arange(501) / 6)
    along = pace[..., None] * np.arange(501)
    heading = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
    path = (
        along[..., None] * heading[:, :, None] + swing[:, None] * across[:, :, None]
    ).astype(np.float32)
    moved = path[:, :, -1] - path[:, :, 0]
    final = {
        "return": 25 * pace.mean(axis=1) * 500,
        "episode_length": np.full(seeds, 500.0),
        "distance": np.linalg.norm(moved, axis=-1).mean(axis=1),
        "forward_distance": moved[..., 0].mean(axis=1),
        "direction_spread": direction_spread(moved),
    }
    return final, {"positions": path}


def _write_sweep(study: Study, name: str, folder: Path) -> None:
    algorithm = study.algorithms[name].model_dump(mode="json")
    described = {"key": "0" * 32, "stage": "sweep", "run": name, "algorithm_name": name}
    if study.is_searched(name):
        run, search = study.sweep.runs[name], study.sweep.search
        assert search is not None
        budget, space = study.sweep.budgets[run.task], _plain_space(run.space)
        sweep = made(
            space,
            budget.trials,
            name=name,
            seeds=search.seeds,
            fresh_seeds=search.fresh_seeds,
            steps=budget.steps,
            objective=study.tasks[run.task].objective,
            ends={1: "FAIL", 3: "PRUNED"},
        )
        write_trials(folder / "trials", sweep.trials, sweep.space, sweep.seeds)
        write_fresh(folder / "trials", sweep.fresh)
        described |= {
            "task_name": run.task,
            "seeds": sweep.seeds,
            "steps": sweep.steps,
            "objective": sweep.objective,
            "statistic": sweep.statistic,
            "space": space,
            "best": sweep.best,
        }
    files.write_json(folder / "trials/run.json", described)
    files.write_yaml(folder / "best.yaml", algorithm)


def _plain_space(space: Space) -> dict[str, Any]:
    return {
        name: range_.model_dump(mode="json", exclude_none=True)
        for name, range_ in sorted(space.items())
    }
