"""How a study looks when it is opened in the MLflow UI.

The run list of MLflow shows no parameter and no metric until a user picks them. A saved
view, which MLflow keeps in a tag of the experiment, shows what the study is about; its
link also leads past the UI's default mode, which is for language models.
"""

import base64
import json
import shlex
import sys
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.study.machine.settings import store_root
from pipeline.study.tracking.address import is_database

if TYPE_CHECKING:
    from mlflow.entities import RunData

NAME: Final = "study"
VIEW_TAG: Final = f"mlflow.sharedViewState.{NAME}"

EXPERIMENT_TAGS: Final = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": (
        "Choose *Model training* at the top left, and the view *study* at the top "
        "right. Each run is one stage of the study, as `dvc.yaml` names it; inside it "
        "is one run per seed, or per trial of a sweep. Metrics of a stage are means "
        "over its seeds, those of a sweep are of its best trial; steps are "
        "environment steps. What is missing here, `python -m stages.publish` fills "
        "in from the files."
    ),
}

PARAMS: Final = ("task", "algorithm", "algorithm.temperature.fixed", "best", "state")
"""What tells one run from another, and trials of a sweep."""
METRICS: Final = ("final/", "best/", "fresh/", "")
"""Prefixes of objectives: of runs, of the best trial, and of each trial."""


def columns(runs: Iterable["RunData"]) -> list[str]:
    """The columns that some runs fill: what they are, what trials tried, the worth."""
    params: set[str] = set()
    tried: set[str] = set()
    metrics: set[str] = set()
    objectives: set[str] = set()
    for run in runs:
        params |= run.params.keys()
        metrics |= run.metrics.keys()
        if "task.objective" in run.params:
            objectives.add(run.params["task.objective"])
        if "state" in run.params:
            tried |= run.params.keys() - {"state", "reason", "best"}
    wanted = [f"{prefix}{name}" for prefix in METRICS for name in sorted(objectives)]
    return [
        *(f"params.`{name}`" for name in PARAMS if name in params),
        *(f"params.`{name}`" for name in sorted(tried)),
        *(f"metrics.`{name}`" for name in wanted if name in metrics),
    ]


def saved_view(runs: Iterable["RunData"]) -> str:
    """The value of the tag that makes a view of a study with these runs."""
    state = {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns(runs),
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "FIRST_20_RUNS",
        "groupBy": None,
        "hideEmptyCharts": True,
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    milliseconds = time.time_ns() // 1_000_000
    return json.dumps(
        {
            "name": NAME,
            "createdAt": milliseconds,
            "updatedAt": milliseconds,
            "state": f"deflate;{packed}",
        }
    )


def link(experiment: str, server: str) -> str:
    """The address of the view of an experiment, by its id, in the MLflow UI."""
    query = f"workflowType=machine_learning&viewStateShareKey={NAME}"
    return f"{server.rstrip('/')}/#/experiments/{experiment}/runs?{query}"


def how_to_open(experiment: str, address: str) -> str:
    """What a user does to see an experiment of a store."""
    if not is_database(address):
        return f"open {link(experiment, address)}"
    command = shlex.join([str(_mlflow()), "ui", "--backend-store-uri", address])
    return f"run `{command}` and open {link(experiment, 'http://127.0.0.1:5000')}"


def _mlflow() -> Path:
    """The command of this environment, as typed in the folder that has the store."""
    command, root = Path(sys.executable).with_name("mlflow"), store_root()
    return command.relative_to(root) if command.is_relative_to(root) else command
