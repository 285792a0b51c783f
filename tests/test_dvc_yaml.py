"""`dvc.yaml` computes exactly what `params.yaml` describes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import ruamel.yaml.main
from ruamel.yaml import YAML

from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_yaml

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
@pytest.mark.parametrize(
    "study", ["params.yaml", "studies/smoke.yaml", "studies/own_task.yaml"]
)
def test_every_run_of_a_study_is_a_stage(tmp_path, study):
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    shutil.copy(ROOT / study, tmp_path / "params.yaml")
    dvc = Path(sys.executable).with_name("dvc")
    for command in (["init", "--no-scm"], ["stage", "list", "--name-only"]):
        answer = subprocess.run(
            [dvc, *command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    described = load_study(tmp_path / "params.yaml")
    runs = {f"{stage}@{run}" for stage, run, _ in described.all_runs()}
    runs |= {f"sweep@{run}" for run in described.sweep.runs}
    runs |= {f"exact@{oracle}" for oracle in described.oracles}
    runs |= {f"score@{run}" for run in described.runs("explore")}
    runs |= {f"compose@{name}" for name in described.compositions}
    listed = set(answer.stdout.split())
    assert {name for name in listed if "@" in name} == runs
    assert listed - runs == {"check", "theorems", "compare", "report", "publish"}


@pytest.mark.parametrize("name", sorted(set(STAGES) - {"check", "publish"}))
def test_a_stage_depends_on_its_description_its_code_and_its_inputs(name):
    deps = STAGES[name].get("do", STAGES[name])["deps"]
    assert deps[1] == f"results/check/code/{name}.txt"
    assert deps[0].startswith("results/check/")
    assert all(dep.startswith("results/") for dep in deps)
