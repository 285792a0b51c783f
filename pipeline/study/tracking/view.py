"""How a study looks when it is opened in the MLflow UI.

The run list of MLflow shows no parameter and no metric until a user picks them. A saved
view, which MLflow keeps in a tag of the experiment, shows what the study is about; its
link also leads past the UI's default mode, which is for language models.
"""

import base64
import json
import time
import zlib
from collections.abc import Iterable
from typing import Final

NAME: Final = "study"
VIEW_TAG: Final = f"mlflow.sharedViewState.{NAME}"

EXPERIMENT_TAGS: Final = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": (
        "Choose *Model training* at the top left, and the view *study* at the top "
        "right. Each run is one stage of the study, as `dvc.yaml` names it; inside it "
        "is one run per seed, or per trial of a sweep. Metrics of a stage are means "
        "over its seeds; steps are environment steps. What is missing here, "
        "`python -m stages.publish` fills in from the files."
    ),
}

PARAMS: Final = ("task", "algorithm", "algorithm.temperature.fixed")
"""What tells one run from another."""


def saved_view(objectives: Iterable[str]) -> str:
    """The value of the tag that makes a view of the stages and their results.

    The objectives are names of the metrics that the study is judged by.
    """
    metrics = [f"final/{objective}" for objective in sorted(set(objectives))]
    state = {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [
            *(f"params.`{param}`" for param in PARAMS),
            *(f"metrics.`{metric}`" for metric in metrics),
        ],
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
