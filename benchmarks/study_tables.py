"""The tables of `docs/results.md`, from the files of a computed study.

    python -m benchmarks.study_tables > tables.md

Reads `params.yaml` and `results/` of the current folder.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import machine
from pipeline.study.comparison.compare import panels
from pipeline.study.comparison.results import load_runs
from pipeline.study.files import read_json
from pipeline.study.params import load_study
from pipeline.study.report import tables
from pipeline.study.report.tables import Table

COMPARED = Path("results/compare")
PACKAGES = ("torch", "numpy", "gymnasium", "mujoco", "optuna", "mlflow", "dvc")


def markdown(table: Table) -> Iterator[str]:
    """A table; the lines of a cell become breaks."""
    yield "| " + " | ".join(table.columns) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in table.rows:
        yield "| " + " | ".join(cell.replace("\n", "<br>") for cell in row) + " |"


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
    yield "\n## What was trained\n"
    yield from markdown(tables.trained(study, Path("results/sweep")))
    yield ""
    yield from markdown(tables.trainings(runs))


if __name__ == "__main__":
    print("\n".join(lines()))
