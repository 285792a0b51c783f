"""Where the results of a study lie, and what its parts are called.

The names are in files, in MLflow and in messages to the user; they are spelled here.
"""

from pathlib import Path
from typing import Final

RUNS: Final = Path("results/runs")
"""Every run in `<stage>/<run>/`."""
SWEEPS: Final = Path("results/sweep")
"""Every sweep in `<algorithm>/`: `best.yaml`, and `trials/`."""
COMPARED: Final = Path("results/compare")
"""Statistics and claims."""


def best_file(algorithm: str, sweeps: Path = SWEEPS) -> Path:
    """The configuration that the sweep of an algorithm chose."""
    return sweeps / algorithm / "best.yaml"


def instance(stage: str, run: str) -> str:
    """`explore@sql`, or `compare` for a stage with one instance: DVC's name for it."""
    return f"{stage}@{run}" if run else stage


def trial_name(batch: int | str, slot: int | str) -> str:
    """`1.2`: what a trial is called wherever trials are shown."""
    return f"{batch}.{slot}"


def trial_child(trial: str) -> str:
    """`trial 1.2`: the run of a trial below that of its sweep."""
    return f"trial {trial}"


def seed_child(seed: int) -> str:
    """`seed 3`: the run of a seed below that of its population."""
    return f"seed {seed}"
