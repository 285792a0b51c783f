"""`dvc.yaml` computes exactly what `params.yaml` describes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import ruamel.yaml.main
from ruamel.yaml import YAML

from pipeline.study.store.files import read_yaml, write_yaml
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


@pytest.mark.parametrize(
    "path",
    [ROOT / "params.yaml", ROOT / "dvc.yaml", *(ROOT / "studies").glob("*.yaml")],
    ids=lambda path: path.stem,
)
def test_dvc_reads_in_c_what_the_stages_read(path):
    parser = YAML(typ="safe")  # as DVC makes it
    assert parser.Parser is ruamel.yaml.main.CParser
    assert parser.Parser is not None
    # A description of both shows types as well: 1 is not 1.0, and no is not false.
    assert repr(parser.load(path.read_text())) == repr(read_yaml(path))


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
    runs |= {f"sweep@{run}" for run in described.sweep.runs}
    runs |= {f"exact@{oracle}" for oracle in described.exact.oracles}
    runs |= {f"score@{run}" for run in described.explore.runs}
    runs |= {f"compose@{name}" for name in described.compose.runs}
    listed = set(answer.stdout.split())
    assert {name for name in listed if "@" in name} == runs
    assert listed - runs == {"check", "theorems", "compare", "report", "publish"}


@pytest.mark.slow
def test_a_study_may_have_no_oracle_and_no_composition(tmp_path):
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    data = read_yaml(ROOT / "studies/smoke.yaml")
    data["exact"]["oracles"] = data["compose"]["runs"] = {}
    data["score"]["robustness"]["perturbations"] = {}
    write_yaml(tmp_path / "params.yaml", data)
    load_study(tmp_path / "params.yaml")
    dvc = Path(sys.executable).with_name("dvc")
    for command in (["init", "--no-scm"], ["stage", "list", "--name-only"]):
        answer = subprocess.run(
            [dvc, *command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    listed = answer.stdout.split()
    assert "theorems" in listed
    assert not any(name.startswith(("exact@", "compose@")) for name in listed)


def test_training_depends_on_the_list_of_its_code_and_not_on_all_of_the_science():
    for name in ("sweep", "explore", "pretrain", "finetune", "scratch"):
        deps = STAGES[name]["do"]["deps"]
        assert "results/check/training.txt" in deps
        assert not any(dep.startswith("pipeline/core") for dep in deps)
