"""What a stage imports before it has read `params.yaml`, and with how many threads."""

import importlib
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import stages
from pipeline.study.machine.threads import VARIABLES
from pipeline.study.params.load import load_study
from tests.study.checked import check
from tests.study.synthetic import small_study

pytestmark = pytest.mark.slow

STAGES = sorted(
    file.stem for file in Path(stages.__path__[0]).glob("*.py") if file.stem[0] != "_"
)
HEAVY = ("torch", "mlflow", "optuna", "matplotlib", "mujoco", "sklearn", "scipy.stats")
ITS_WORK = {"report": {"matplotlib"}}
"""What a stage does nothing without."""
PROGRAM = f"""
import importlib, json, os, sys
importlib.import_module(sys.argv[1])
heavy = [name for name in {HEAVY} if name in sys.modules]
from threadpoolctl import threadpool_info
pools = [pool["num_threads"] for pool in threadpool_info()]
print(json.dumps({{"heavy": heavy, "pools": pools, "environment": dict(os.environ)}}))
"""


@cache
def imported(stage):
    """What a fresh process, whose shell wants seven threads, says after the import."""
    command = [sys.executable, "-c", PROGRAM, f"stages.{stage}"]
    environment = os.environ | dict.fromkeys(VARIABLES, "7")
    return json.loads(subprocess.check_output(command, text=True, env=environment))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_what_is_heavy_only_if_it_needs_it(stage):
    assert set(imported(stage)["heavy"]) == ITS_WORK.get(stage, set())


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_computes_with_one_thread_whatever_the_shell_says(stage):
    found = imported(stage)
    assert [found["environment"][name] for name in VARIABLES] == ["1"] * 3
    assert set(found["pools"]) == {1}


@pytest.mark.parametrize(
    ("stage", "run", "work"),
    [
        ("score", "sql_10", "stages.score.write_score"),
        ("compose", "both", "pipeline.study.answers.compositions.write_composition"),
    ],
)
def test_what_computes_with_trained_networks_has_the_threads_of_the_study(
    stage, run, work, tmp_path, monkeypatch
):
    small_study(tmp_path)
    params = tmp_path / "params.yaml"
    params.write_text(params.read_text().replace("threads: 1", "threads: 2"))
    monkeypatch.chdir(tmp_path)
    check(load_study())
    monkeypatch.setattr("sys.argv", [stage, run])
    for name in VARIABLES:
        monkeypatch.setenv(name, "7")
    found = []
    monkeypatch.setattr(work, lambda *_: found.append(dict(os.environ)))
    importlib.import_module(f"stages.{stage}").main()
    assert [found[0][name] for name in VARIABLES] == ["2"] * 3


def test_torch_has_the_threads_that_were_set_before_it_was_imported():
    code = (
        "from pipeline.study.machine.threads import use_threads; "
        "use_threads(1); import torch; "
        "print(torch.get_num_threads())"
    )
    assert subprocess.check_output([sys.executable, "-c", code]) == b"1\n"
