import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_csv, read_json, read_yaml, write_yaml
from tests.study.checked import check

ROOT = Path(__file__).parents[2]
STAGES = ("sweep", "pretrain", "finetune", "scratch", "explore")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the smoke study, its training long enough to be interrupted."""
    monkeypatch.chdir(tmp_path)
    data = read_yaml(ROOT / "studies" / "smoke.yaml")
    data["explore"]["steps"] = 600
    write_yaml(tmp_path / "params.yaml", data)
    check(load_study())
    return tmp_path


class TestCommandLine:
    @pytest.mark.parametrize("stage", STAGES)
    def test_without_a_run_the_runs_are_listed(self, study, stage, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["stage"])
        with pytest.raises(SystemExit, match="2"):
            importlib.import_module(f"stages.{stage}").main()
        error = capsys.readouterr().err
        assert f"usage: python -m stages.{stage} RUN" in error
        data = read_yaml(study / "params.yaml")
        assert all(f"\n  {name}" in error for name in data[stage]["runs"])

    @pytest.mark.parametrize("stage", STAGES)
    def test_a_run_that_there_is_not_is_one_line_with_the_nearest(
        self, study, stage, monkeypatch, capsys
    ):
        name = next(iter(read_yaml(study / "params.yaml")[stage]["runs"]))
        monkeypatch.setattr(sys, "argv", ["stage", f"{name}x"])
        with pytest.raises(SystemExit, match="2"):
            importlib.import_module(f"stages.{stage}").main()
        (line,) = capsys.readouterr().err.splitlines()
        assert f"there is no run '{name}x' of {stage}; did you mean '{name}'?" in line

    def test_ctrl_c_is_one_line(self, study, monkeypatch, capsys):
        explore = importlib.import_module("stages.explore")

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("pipeline.study.training.run.train_run", interrupted)
        name = next(iter(read_yaml(study / "params.yaml")["explore"]["runs"]))
        monkeypatch.setattr(sys, "argv", ["stage", name])
        with pytest.raises(SystemExit, match="130"):
            explore.main()
        assert capsys.readouterr().err.startswith("interrupted; ")


def answer_ctrl_c() -> None:
    """Whoever runs these tests in the background has told their processes not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(stage: str, run: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}", run],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=answer_ctrl_c,
        env={
            **{name: value for name, value in os.environ.items() if name != "DVC_ROOT"},
            "PYTHONPATH": str(ROOT),
            "MAXENT_CHECKPOINT_SECONDS": "0.1",
            "MAXENT_WORKERS": "2",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        },
    )


def finish(stage: str, run: str, folder: Path) -> str:
    process = start(stage, run, folder)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return error


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def wait_for(condition: Callable[[], object], process: subprocess.Popen) -> None:
    while not condition():
        assert process.poll() is None, "it ended before it could be interrupted"
        time.sleep(0.01)


def checkpoints(folder: Path) -> list[Path]:
    return list((folder / ".checkpoints").rglob("*.safetensors"))


def workers(stage: int) -> list[int]:
    """Training processes of a stage, which may have started others as well."""
    children = Path(f"/proc/{stage}/task/{stage}/children").read_text().split()
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return [int(pid) for pid, command in commands.items() if "worker.main" in command]


def set_by_hand(algorithm: str, folder: Path) -> None:
    """What the sweep of an algorithm without a space writes."""
    numbers = read_yaml(folder / "params.yaml")["algorithms"][algorithm]
    write_yaml(folder / "results/sweep" / algorithm / "best.yaml", numbers)


@pytest.mark.slow
class TestTraining:
    def test_a_run_that_is_disturbed_ends_in_the_same_bytes(self, study):
        set_by_hand("sac", study)
        finish("explore", "sac", study)
        output = study / "results/runs/explore/sac"
        undisturbed = contents(output)
        behaviour = load_file(output / "behaviour.safetensors")
        assert behaviour["probe_actions"].shape == (4, 3, 500, 2)
        assert behaviour["probe_q"].shape == (4, 3, 41, 41)
        shutil.rmtree(output)

        killed = start("explore", "sac", study)
        wait_for(lambda: len(checkpoints(study)) == 2, killed)
        killed.kill()
        killed.communicate()
        assert not output.exists()

        damaged = checkpoints(study)[0]
        content = damaged.read_bytes()
        damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        before = damaged.stat().st_mtime_ns
        again = start("explore", "sac", study)
        wait_for(lambda: damaged.stat().st_mtime_ns > before, again)
        for worker in workers(again.pid):
            os.kill(worker, signal.SIGKILL)
        _, error = again.communicate(timeout=300)
        assert again.returncode == 0, error
        assert "its members start over" in error
        assert "a training process was lost (signal 9)" in error
        assert contents(output) == undisturbed

    def test_a_sweep_that_is_killed_and_stopped_ends_in_the_same_tables(self, study):
        finish("sweep", "sql", study)
        output = study / "results/sweep/sql"
        undisturbed = contents(output)
        shutil.rmtree(output)
        shutil.rmtree(study / ".checkpoints")

        killed = start("sweep", "sql", study)
        wait_for(lambda: list(study.glob(".checkpoints/*/*/trial_0.json")), killed)
        killed.kill()
        killed.communicate()
        for file in study.glob(".checkpoints/*/*/trial_[1-9].json"):
            file.unlink()
        stopped = start("sweep", "sql", study)
        wait_for(lambda: list(study.glob(".checkpoints/*/*/trial_1.json")), stopped)
        stopped.send_signal(signal.SIGINT)
        _, error = stopped.communicate(timeout=60)
        assert stopped.returncode == 130
        assert error.splitlines()[-1].startswith("interrupted; ")
        finish("sweep", "sql", study)
        assert contents(output) == undisturbed
        assert len(read_csv(output / "trials" / "trials.csv")) == 4

    def test_finetuning_begins_with_the_pretrained_networks(self, study):
        set_by_hand("sql", study)
        finish("pretrain", "sql", study)
        finish("finetune", "sql_from_sql", study)
        runs = study / "results/runs"
        described = read_json(runs / "finetune/sql_from_sql/run.json")
        assert described["start"] == "sql"
        before, after = (
            load_file(runs / name / "weights.safetensors")
            for name in ("pretrain/sql", "finetune/sql_from_sql")
        )
        for name, weights in after.items():
            moved = np.abs(weights - before[name]).mean(axis=-1)
            apart = np.abs(weights - np.roll(before[name], 1, axis=0)).mean(axis=-1)
            assert (moved < apart).all(), name


def test_by_hand_nothing_runs_on_another_file_than_the_one_that_was_checked(
    study, monkeypatch, capsys
):
    params = study / "params.yaml"
    params.write_text(params.read_text() + "# edited\n")
    monkeypatch.setattr(sys, "argv", ["stage", "sac"])
    with pytest.raises(SystemExit, match="2"):
        importlib.import_module("stages.explore").main()
    assert "params.yaml has changed since it was checked" in capsys.readouterr().err
