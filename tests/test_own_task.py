"""A study of one environment and one algorithm, from its file to its report."""

import json

import pytest
from ruamel.yaml import YAML

from tests.test_smoke_study import clone, compute, lock

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_store")]


def shortened(study):
    """What it says, at a size that says nothing about learning."""
    yaml = YAML()
    said = yaml.load(study)
    said["execution"]["compile"] = "never"
    said["study"]["seeds"] = [0, 1]
    said["algorithms"]["sac"] |= {"warmup": 50, "hidden": [8]}
    said["tasks"]["pendulum"]["evaluation"] |= {"every": 100, "final_episodes": 10}
    said["sweep"]["budgets"]["pendulum"] |= {"trials": 2, "steps": 100}
    said["scratch"]["steps"] = 200
    yaml.dump(said, study)


def test_what_fits_on_one_screen_is_computed_and_reported(tmp_path):
    root = clone(tmp_path / "checkout")
    study = root / "studies" / "own_task.yaml"
    assert len(study.read_text().splitlines()) <= 60
    shortened(study)
    compute(root, "make", "study", "STUDY=own_task")
    workspace = root / ".studies" / "own_task"
    assert {"sweep@sac", "scratch@sac", "compare", "report"} <= lock(workspace).keys()
    metrics = json.loads((workspace / "results/compare/metrics.json").read_text())
    assert metrics["scratch"]["sac"]["return"]["iqm"] < 0
    page = (workspace / "results/report/report.html").read_text()
    assert "Search: sac" in page
    assert "pendulum" in page
