"""Made-up runs of tasks in worlds, for whoever draws or tells of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.study.params.load import load_study
from pipeline.study.store import files
from pipeline.study.store.fingerprint import ROOT
from pipeline.study.store.runs import Run

SHIPPED = load_study(ROOT / "studies/worlds.yaml")
SEEDS = (0, 1, 2)
FAILED_AT = 200


def run_in(
    root: Path, task_name: str, algorithm: str, *, alpha: float | None = None
) -> Run:
    """A run whose seeds come nearer and nearer, but for the last one.

    The first comes within .5 of a target, or of being past the line by 1.
    """
    task, settings = SHIPPED.tasks[task_name], SHIPPED.algorithms[algorithm]
    if alpha is not None:
        settings = settings.with_temperature(alpha)
    run = Run(
        stage="explore",
        name=f"{algorithm}_{alpha}".replace(".", "_").lower(),
        task_name=task_name,
        task=task,
        algorithm_name=algorithm,
        algorithm=settings,
        seeds=SEEDS,
        steps=300,
        start=None,
        swept=False,
        root=root,
    )
    files.write_json(run.folder / "run.json", run.described())
    files.write_csv(run.folder / "final.csv", *files.by_seed(SEEDS, final(task)))
    write_records(run)
    files.write_arrays(run.folder / "behaviour.safetensors", {"positions": walks(run)})
    return run


def final(task: Any) -> dict[str, Any]:
    """Of every seed what its task measures."""
    last = walks_in(task)[:, :, -1]
    measured = {"return": last[..., 0].mean(axis=1), "direction_spread": np.ones(3)}
    if task.place.targets:
        measured["success"] = np.array([1.0, 0.5, 0.0])
    if task.place.finish_line is not None:
        measured["past_line"] = measured["success"] = np.array([1.0, 0.5, 0.0])
    return measured


def write_records(run: Run, failed: int | None = None) -> None:
    """At three steps, what there is left to go; nothing of a seed after it failed."""
    world = run.task.place
    names = ["closest"] * bool(world.targets)
    names += ["to_line"] * (world.finish_line is not None)
    ends = {"closest": (0.5, 2.0, 9.0), "to_line": (-1.0, -2.0, 9.0)}
    rows = [
        [
            seed,
            step,
            *("" if gone else 9 + (ends[name][i] - 9) * part for name in names),
        ]
        for i, seed in enumerate(SEEDS)
        for step, part in zip((100, 200, 300), (0.0, 0.5, 1.0), strict=True)
        for gone in [seed == failed and step >= FAILED_AT]
    ]
    header = ["seed", "step", *(f"train/{name}" for name in names)]
    files.write_csv(run.folder / "records.csv", header, rows)


def walks(run: Run) -> Any:
    """Final episodes of a run."""
    return walks_in(run.task)


def walks_in(task: Any) -> Any:
    """`[seed, episode, time, 2]`: straight ways from the start, in all directions."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False).reshape(3, 4)
    heading = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    path = 0.3 * np.arange(8)[:, None] * heading[:, :, None]
    return (np.array(task.place.start) + path).astype(np.float32)


def failed(run: Run, seed: int) -> Run:
    """The run after one of its seeds has failed."""
    row = [(seed, FAILED_AT, "its loss is nan")]
    files.write_csv(run.folder / "failures.csv", ["seed", "step", "reason"], row)
    write_records(run, failed=seed)
    return replace(run)
