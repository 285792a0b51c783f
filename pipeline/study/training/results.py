"""The finished runs of a study, read for whoever judges them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.study.errors import UserError
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_json, read_table
from pipeline.study.store.layout import (
    DESCRIBED,
    FINAL,
    RUNS,
    StageName,
    instance,
    readable,
)
from pipeline.study.store.runs import Run


def load_runs(study: Study, root: Path = RUNS) -> list[Run]:
    """Every run of the study, in the order of `params.yaml`.

    Raises:
        UserError: A run or a seed is missing, is not of this study, or was trained for
            another number of steps.
    """
    expected = {f"{stage}/{name}" for stage, name, _ in study.all_runs()}
    expected |= {f"score/{name}" for name in study.runs("explore")}
    expected |= {f"compose/{name}" for name in study.compositions}
    for folder in sorted(root.glob("*/[!.]*")):
        if folder.relative_to(root).as_posix() not in expected:
            raise UserError(
                f"{folder} is not a run of this study; "
                f"remove it (rm -r {folder}) or add it to params.yaml"
            )
    return [
        load_run(
            stage,
            name,
            {"seeds": list(study.seeds(run)), "steps": study.steps(stage, run)},
            root,
        )
        for stage, name, run in study.all_runs()
    ]


def load_run(
    stage: StageName, name: str, expected: Mapping[str, Any], root: Path = RUNS
) -> Run:
    """One run of the study, whose `run.json` must say what its description does.

    Raises:
        UserError: It is missing, damaged, or of other seeds or steps.
    """
    folder, writer = root / stage / name, instance(stage, name)
    with readable(folder / DESCRIBED, writer):
        run = Run.of(read_json(folder / DESCRIBED), root)
    with readable(folder / FINAL, writer):
        found = [int(seed) for seed in read_table(folder / FINAL)["seed"]]
    again = f"compute it again: dvc repro --force {writer}"
    if not list(run.seeds) == found == expected["seeds"]:
        raise UserError(
            f"{folder} has seeds {found}, the study {expected['seeds']}; {again}"
        )
    if run.steps != expected["steps"]:
        raise UserError(
            f"{folder} was trained for {run.steps} steps, "
            f"the study says {expected['steps']}; {again}"
        )
    return run
