import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.params.load import load_study
from stages.check import check_locks
from tests.stages.trained import written
from tests.study.params.smoke import VALID

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(tmp_path) -> Path:
    """A folder with the code and the smoke study."""
    for package in ("pipeline", "stages"):
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "studies" / "smoke.yaml", tmp_path / "params.yaml")
    return tmp_path


def check(study: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stages.check"],
        cwd=study,
        capture_output=True,
        text=True,
        check=False,
    )


def misspell(study: Path) -> None:
    params = study / "params.yaml"
    params.write_text(params.read_text().replace("temperature: {", "temprature: {", 1))


def test_a_change_is_told_to_those_that_it_concerns_and_to_no_others(study):
    assert check(study).returncode == 0
    before = written(study / "results/check")
    params = study / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("explore:\n  steps: 400", "explore:\n  steps: 500"))
    assert check(study).returncode == 0
    after = written(study / "results/check")
    changed = {name for name in before if before[name] != after[name]}
    runs = {f"explore/{name}.json" for name in ("sql_east", "sql_west", "sac", "ddpg")}
    assert changed == runs | {"study.json", "params.sha256"}


def test_a_mistake_is_one_message_and_loses_nothing(study):
    kept = study / "results" / "runs" / "explore" / "sql" / "final.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("kept")
    misspell(study)
    answer = check(study)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: params.yaml:")
    assert answer.stderr.count("\n") == 1
    assert "did you mean 'temperature'?" in answer.stderr
    assert kept.read_text() == "kept"


@pytest.mark.parametrize(
    ("folder", "compiles"), [(".checkpoints", "never"), (".compiled", "always")]
)
def test_a_disk_without_locks_is_named_before_anything_is_trained(
    tmp_path, monkeypatch, folder, compiles
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    local, file = fcntl.flock, Path(folder, "check.lock")

    def flock(handle, how):
        if file.exists() and os.path.samestat(os.fstat(handle), file.stat()):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        local(handle, how)

    execution = load_study(VALID).execution.model_copy(update={"compile": compiles})
    check_locks(execution)
    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UserError, match=rf"{folder} is on a disk that cannot"):
        check_locks(execution)


def test_it_is_quick_because_it_imports_no_learner(study):
    command = (
        "import sys; from stages.check import main; main(); "
        "print(sorted({'torch', 'mlflow', 'optuna', 'matplotlib'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", command],
        cwd=study,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "[]\n"


@pytest.mark.slow
def test_dvc_keeps_every_result_when_the_file_has_a_mistake(study):
    (study / "dvc.yaml").write_text(
        """
stages:
  check:
    cmd: python -m stages.check
    deps: [params.yaml]
    outs: [results/check]
  train:
    cmd: echo trained > results/trained.txt
    deps: [results/check/study.json]
    outs: [results/trained.txt]
"""
    )
    dvc = Path(sys.executable).with_name("dvc")
    subprocess.run(
        [dvc, "init", "--no-scm"], cwd=study, check=True, capture_output=True
    )
    subprocess.run([dvc, "repro"], cwd=study, check=True, capture_output=True)
    misspell(study)
    answer = subprocess.run(
        [dvc, "repro"], cwd=study, capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr
    assert "did you mean 'temperature'?" in answer.stderr
    assert (study / "results" / "trained.txt").read_text() == "trained\n"
