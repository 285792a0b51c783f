"""The tables of `docs/results.md`, from the files of a computed study.

    python -m benchmarks.study_tables > tables.md
    python -m benchmarks.study_tables .studies/multigoal > tables.md

Reads `params.yaml` and `results/` of the current folder, or of the one that is named.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from benchmarks.machine import machine
from pipeline.core.tasks.multigoal.arena import goal_distances
from pipeline.study.statistics.compare import panels
from pipeline.study.store.scores import Score
from pipeline.study.answers.results import load_scores
from pipeline.study.store.runs import Run
from pipeline.study.training.results import load_runs
from pipeline.study.store.files import read_json
from pipeline.study.store.layout import COMPARED, RUNS
from pipeline.study.params.load import load_study
from pipeline.study.params.study import Study
from pipeline.study.report import tables
from pipeline.study.report.exact_sections import exact_sections, summaries
from pipeline.study.report.tables import Table

START, BETWEEN = "0:0", "2.5:2.5"
"""Probe states that something is aimed at: where episodes start, and between goals."""
PACKAGES = ("torch", "numpy", "gymnasium", "mujoco", "optuna", "mlflow", "dvc")


def markdown(table: Table) -> Iterator[str]:
    """A table; the lines of a cell become breaks."""
    yield "| " + " | ".join(table.columns) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in table.rows:
        yield "| " + " | ".join(cell.replace("\n", "<br>") for cell in row) + " |"


def nearest_goals(
    runs: Sequence[Run], study: Study, solved: Mapping[str, Mapping[str, float]]
) -> Table:
    """How far the random start alone decides where episodes end, and should."""
    rows = [[run.id, nearest(run)] for run in runs]
    for name, summary in solved.items():
        settings = study.oracles[name]
        if settings.task == runs[0].task_name and "nearest_goal" in summary:
            share = f"{summary['nearest_goal']:.2f}"
            rows.append([f"the exact policy, exact/{name}", share])
    return Table(["run", "share"], rows)


def nearest(run: Run) -> str:
    """Share of kept episodes that end at the goal nearest to their start, each seed."""
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


def aims(
    scores: Sequence[Score], solved: Mapping[str, Mapping[str, float]]
) -> Iterator[list[str]]:
    """What this project aims at in soft Q-learning, a row for every run and place.

    A score of .95, of .9 from α = 1 down; a third of the divergence that the best
    single Gaussian has; at (0, 0) a value within 2 %, 1 % at α = 10.
    """
    for score in scores:
        run = score.run
        if run.algorithm.kind != "sql" or not {START, BETWEEN} <= set(score.places):
            continue
        oracle = score.oracles[0]
        alpha = run.temperature or 0.0
        least, off = (0.95, 1 if alpha >= 10 else 2) if alpha > 1 else (0.9, 2)
        reached = run.final["multi_goal_score"]
        value = 100 * score.exact[f"{oracle}/value_error/{START}"]
        cells = [
            f"score ≥ {least:g}: {(reached >= least).sum()} of {len(reached)} seeds, "
            f"lowest {reached.min():.4f}",
            f"value ≤ {off} %: {(value <= off).sum()} of {len(value)} seeds, "
            f"largest {value.max():.2f} %",
        ]
        for place in (START, BETWEEN):
            third = solved[oracle][f"best_gaussian/{place}"] / 3
            kl = score.exact[f"{oracle}/reverse_kl/{place}"]
            cells.append(
                f"KL ≤ {third:.2f} at ({place.replace(':', ', ')}): "
                f"{(kl <= third).sum()} of {len(kl)} seeds, median {np.median(kl):.3f}"
            )
        yield [f"{run.id}, {run.steps} steps", "\n".join(cells)]


def beside_the_exact_answers(
    study: Study, runs: Sequence[Run], metrics: Mapping[str, Any]
) -> Iterator[str]:
    """Aims, and every table of the report that needs an oracle."""
    if rows := list(aims(load_scores(study, runs), summaries(study))):
        yield "\n## What was aimed at\n"
        yield from markdown(Table(["run", "aim and what was reached"], rows))
    for section in exact_sections(study, runs, metrics):
        if found := [x for x in (section.table, section.second_table) if x is not None]:
            yield f"\n## {section.title}"
        for table in found:
            yield ""
            yield from markdown(table)


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
            yield from markdown(nearest_goals(together, study, summaries(study)))
    yield from beside_the_exact_answers(study, runs, metrics)
    yield "\n## What was trained\n"
    yield from markdown(tables.trained(study, Path("results/sweep")))
    yield ""
    yield from markdown(tables.trainings(runs))


if __name__ == "__main__":
    if sys.argv[1:]:
        os.chdir(sys.argv[1])
    print("\n".join(lines()))
