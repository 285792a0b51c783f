"""The tables of `docs/results.md`, from the files of a computed study.

    python -m benchmarks.study_tables > tables.md

Reads `params.yaml` and `results/` of the current folder.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from benchmarks.machine import machine
from pipeline.core.tasks.multigoal import goal_distances
from pipeline.study.comparison.compare import panels
from pipeline.study.comparison.results import Run, load_runs
from pipeline.study.files import read_json
from pipeline.study.layout import COMPARED, RUNS
from pipeline.study.params import load_study
from pipeline.study.report import tables
from pipeline.study.report.tables import Table

PACKAGES = ("torch", "numpy", "gymnasium", "mujoco", "optuna", "mlflow", "dvc")


def markdown(table: Table) -> Iterator[str]:
    """A table; the lines of a cell become breaks."""
    yield "| " + " | ".join(table.columns) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in table.rows:
        yield "| " + " | ".join(cell.replace("\n", "<br>") for cell in row) + " |"


def nearest(run: Run) -> str:
    """How far the random start alone decides where episodes end."""
    file = RUNS / run.stage / run.name / "behaviour.safetensors"
    positions = load_file(file)["positions"]  # NaN after the end
    steps = np.isfinite(positions[..., 0]).sum(axis=2) - 1
    last = np.take_along_axis(positions, steps[:, :, None, None], axis=2)[:, :, 0]
    places = np.array(run.multigoal.goals)
    goals = [
        goal_distances(x, places).argmin(axis=-1) for x in (positions[:, :, 0], last)
    ]
    shares = (goals[0] == goals[1]).mean(axis=1)
    return ", ".join(f"{share:.2f}" for share in shares)


def lines() -> Iterator[str]:
    """The whole text."""
    study = load_study(Path("params.yaml"))
    runs = load_runs(study)
    metrics = read_json(COMPARED / "metrics.json")
    yield f"Measured on: {machine(*PACKAGES)}\n"
    yield "## Claims\n"
    claims = read_json(COMPARED / "claims.json")
    yield from markdown(
        Table(
            ["claim", "measured", "verdict"],
            [
                [
                    f"{claim['statement']}\n{claim['source']}",
                    claim["measured"],
                    f"**{claim['verdict']}**",
                ]
                for claim in claims
            ],
        )
    )
    for (stage, task), together in panels(runs).items():
        yield f"\n## {stage}: {task}\n"
        yield from markdown(tables.results(together, metrics))
        if together[0].task.kind == "multigoal":
            yield "\nShare of the kept final episodes that end at the goal nearest to "
            yield "their start, each seed:\n"
            yield from markdown(
                Table(["run", "share"], [[run.id, nearest(run)] for run in together])
            )
    yield "\n## What was trained\n"
    yield from markdown(tables.trained(study, Path("results/sweep")))
    yield ""
    yield from markdown(tables.trainings(runs))


if __name__ == "__main__":
    print("\n".join(lines()))
