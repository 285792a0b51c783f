"""What `params.yaml` says to each stage instance, as one file for each.

A stage depends on its file and not on `params.yaml`, so that it is computed again when
what is said to it has changed, and a file that is edited meanwhile cannot confuse it.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.core.tasks.settings import Task
from pipeline.study.params.study import RunSettings, Study
from pipeline.study.store.files import atomic_write, write_json
from pipeline.study.store.fingerprint import digests
from pipeline.study.store.layout import SOURCE, STUDY, StageName, description_file


def write_descriptions(study: Study, root: Path = Path()) -> None:
    """Write the description of every stage instance, and of the whole study.

    The study is without mistakes; `root` has the `params.yaml` that it was read from.
    """
    for (stage, run), described in descriptions(study):
        write_json(root / description_file(stage, run), described, sort=False)
    write_json(root / STUDY, study.model_dump(mode="json"), sort=False)
    digest = hashlib.sha256((root / "params.yaml").read_bytes()).hexdigest()
    atomic_write(root / SOURCE, f"{digest}\n".encode())


def descriptions(study: Study) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Stage, instance and what is said to it; a stage of one instance has no name."""
    for name in study.sweep.runs:
        yield ("sweep", name), _sweep(study, name)
    for stage, name, run in study.all_runs():
        yield (stage, name), _run(study, stage, name, run)
    for name in study.oracles:
        yield ("exact", name), _oracle(study, name)
    for name in study.runs("explore"):
        yield ("score", name), _score(study, name)
    for name in study.compositions:
        yield ("compose", name), _composition(study, name)
    theorems = None if study.theorems is None else study.theorems.model_dump()
    yield ("theorems", ""), {"settings": theorems}


def _oracle(study: Study, name: str) -> dict[str, Any]:
    """A task to be solved exactly."""
    assert study.exact is not None, "it has oracles"
    oracle = study.oracles[name]
    return {
        "stage": "exact",
        "run": name,
        "task_name": oracle.task,
        "task": study.tasks[oracle.task].model_dump(mode="json"),
        "temperature": oracle.temperature,
        "spacing": oracle.spacing or study.exact.spacing,
    }


def _score(study: Study, name: str) -> dict[str, Any]:
    """How a run of `explore` is judged, and beside which oracles of its task."""
    task = study.runs("explore")[name].task
    return {
        "stage": "score",
        "run": name,
        "score": None if study.score is None else study.score.model_dump(mode="json"),
        "oracles": {
            oracle: settings.temperature
            for oracle, settings in study.oracles.items()
            if settings.task == task
        },
        "threads": study.execution.threads,
    }


def _composition(study: Study, name: str) -> dict[str, Any]:
    """Two runs of `explore` together, and how they are judged."""
    assert study.score is not None, "checked"
    assert study.exact is not None, "checked"
    return {
        "stage": "compose",
        "run": name,
        **study.compositions[name].model_dump(mode="json"),
        "spacing": study.exact.spacing,
        "draws": study.score.draws,
        "cells": study.score.cells,
        "threads": study.execution.threads,
    }


def _run(study: Study, stage: StageName, name: str, run: RunSettings) -> dict[str, Any]:
    """What a run is, but for the numbers that its sweep chooses."""
    return {
        "stage": stage,
        "run": name,
        "task_name": run.task,
        **_task(study.tasks[run.task]),
        "algorithm_name": run.algorithm,
        "temperature": run.temperature,
        "seeds": list(study.seeds(run)),
        "steps": study.steps(stage, run),
        "start": run.start,
        "swept": run.temperature is None and study.is_searched(run.algorithm),
        "execution": study.execution_of(run).model_dump(),
    }


def _sweep(study: Study, name: str) -> dict[str, Any]:
    """The search for one algorithm's settings, or those that are not searched."""
    run = study.sweep.runs[name]
    algorithm = study.algorithms[name].model_dump(mode="json")
    said = {"stage": "sweep", "run": name, "algorithm_name": name}
    if not study.is_searched(name):
        return {**said, "algorithm": algorithm, "trials": 0}
    task, search = study.tasks[run.task], study.sweep.search
    assert search is not None, "checked"
    return {
        **said,
        "task_name": run.task,
        **_task(task),
        "algorithm": algorithm,
        "objective": task.objective,
        "space": {
            field: run.space[field].model_dump(mode="json", exclude_none=True)
            for field in sorted(run.space)
        },
        "sampler_seed": search.seed,
        **search.model_dump(mode="json", exclude={"seed"}),
        **study.sweep.budgets[run.task].model_dump(),
        "execution": study.execution.model_dump(),
    }


def _task(task: Task) -> dict[str, Any]:
    """The task of a run, and the user's own code that it is made of, if it is."""
    described = {"task": task.model_dump(mode="json")}
    if not task.own_files:
        return described
    return described | {"code": digests(task.own_files)}
