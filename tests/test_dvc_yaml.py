"""`dvc.yaml` computes exactly what `params.yaml` describes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study.files import read_yaml
from pipeline.study.params import load_study

ROOT = Path(__file__).parents[1]
STAGES = read_yaml(ROOT / "dvc.yaml")["stages"]
CODE = ("pipeline", "stages")


@pytest.mark.parametrize("name", STAGES)
def test_the_code_that_a_stage_depends_on_is_there(name):
    stage = STAGES[name].get("do", STAGES[name])
    assert f"python -m stages.{name}" in stage["cmd"]
    for dependency in stage["deps"]:
        if dependency.startswith(CODE):
            assert (ROOT / dependency).exists(), dependency


@pytest.mark.slow
@pytest.mark.parametrize("study", ["params.yaml", "studies/smoke.yaml"])
def test_every_run_of_a_study_is_a_stage(tmp_path, study):
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    shutil.copy(ROOT / study, tmp_path / "params.yaml")
    dvc = Path(sys.executable).with_name("dvc")
    for command in (["init", "--no-scm"], ["stage", "list", "--name-only"]):
        answer = subprocess.run(
            [dvc, *command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    described = load_study(tmp_path / "params.yaml")
    runs = {
        f"{stage}@{run}" for stage, block in described.stages() for run in block.runs
    }
    sweeps = {f"sweep@{run}" for run in described.sweep.runs}
    listed = set(answer.stdout.split())
    assert {name for name in listed if "@" in name} == runs | sweeps
    assert listed - runs - sweeps == {"check", "compare", "report", "publish"}
