import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipeline.core.config.learner import FixedTemperature
from pipeline.study.errors import UserError
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_csv, read_json, read_table, write_yaml
from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.store.layout import best_file
from pipeline.study.training import run
from pipeline.study.training.run import described_run
from tests.study import fakes
from tests.study.checked import STAGES, said

FOLDER = Path("results/runs/pretrain/sql")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study in the current folder, whose sweeps chose the hand-set numbers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.study.tracking.live.LiveRun", fakes.Live)
    monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
    write_fingerprints(STAGES)
    study = fakes.study()
    for name, algorithm in study.algorithms.items():
        write_yaml(best_file(name), algorithm.model_dump(mode="json"))
    return study


def resolve(study, stage, name):
    return described_run(said(study, stage, name))


def train_run(study, stage, name, *, work):
    run.train_run(said(study, stage, name), "small", work=work)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestResolve:
    def test_a_run_is_trained_with_what_its_sweep_chose(self, study):
        chosen = study.algorithms["sql"].model_copy(update={"batch": 7})
        write_yaml(best_file("sql"), chosen.model_dump(mode="json"))
        assert resolve(study, "explore", "sql_swept").algorithm == chosen

    def test_a_temperature_of_its_own_replaces_the_swept_one(self, study):
        swept = study.algorithms["sql"]
        swept = swept.model_copy(update={"temperature": FixedTemperature(fixed=0.5)})
        write_yaml(best_file("sql"), swept.model_dump(mode="json"))
        assert resolve(study, "explore", "sql_swept").algorithm.temperature.fixed == 0.5
        assert resolve(study, "explore", "sql_10").algorithm.temperature.fixed == 10.0

    def test_steps_of_its_own_replace_those_of_its_stage(self, study):
        changed = fakes.study(explore__runs__sql_10__steps=77)
        assert resolve(changed, "explore", "sql_10").steps == 77
        assert resolve(changed, "explore", "sql_swept").steps == 5

    def test_a_missing_sweep_is_named_with_the_command_that_runs_it(self, study):
        best_file("sql").unlink()
        with pytest.raises(
            UserError, match=r"best.yaml is missing.*dvc repro sweep@sql"
        ):
            resolve(study, "explore", "sql_swept")

    @pytest.mark.parametrize(
        "edit",
        [
            lambda text: text.replace("batch", "bach"),
            lambda text: text.replace("fixed: 10.0", "fixed: hot"),
            lambda text: text.replace("hidden:", "hidden"),
            lambda text: "",
            lambda text: "2020-01-01",
            lambda text: "\0",
        ],
    )
    def test_a_damaged_sweep_is_one_line_with_the_command_that_mends_it(
        self, study, edit
    ):
        text = best_file("sql").read_text()
        best_file("sql").write_text(edit(text))
        with pytest.raises(UserError) as error:
            resolve(study, "explore", "sql_swept")
        message = str(error.value)
        assert message.startswith("results/sweep/sql/best.yaml is damaged (")
        assert "dvc checkout --force results/sweep/sql/best.yaml" in message
        assert message.endswith("dvc repro sweep@sql")
        assert "\n" not in message

    def test_a_missing_start_is_named_with_the_command_that_runs_it(self, study):
        with pytest.raises(UserError, match=r"is missing.*dvc repro pretrain@sql"):
            train_run(study, "finetune", "sql_from_sql", work=fakes.count)


class TestTrainRun:
    def test_writes_a_row_for_every_seed_and_step_in_order(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        records = read_table(FOLDER / "records.csv")
        assert records["seed"].tolist() == np.repeat(range(5), 5).tolist()
        assert records["step"].tolist() == [1, 2, 3, 4, 5] * 5
        final = read_table(FOLDER / "final.csv")
        last = records["step"] == 5
        assert final["return"].tolist() == records["evaluation/return"][last].tolist()

    def test_chunks_become_one_population_again(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        weights = load_file(FOLDER / "weights.safetensors")
        assert weights["w"].ravel().tolist() == [0, 1, 2, 3, 4]

    def test_describes_the_run_with_its_key(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        described = read_json(FOLDER / "run.json")
        assert described["stage"] == "pretrain"
        assert described["algorithm"]["temperature"]["fixed"] == 10.0
        assert described["seeds"] == [0, 1, 2, 3, 4]
        assert len(described["key"]) == 32

    def test_bytes_depend_neither_on_workers_nor_on_when(self, study, monkeypatch):
        monkeypatch.setenv("MAXENT_WORKERS", "1")
        train_run(study, "pretrain", "sql", work=fakes.count)
        before = contents(FOLDER)
        monkeypatch.setenv("MAXENT_WORKERS", "2")
        train_run(study, "pretrain", "sql", work=fakes.count)
        assert contents(FOLDER) == before

    def test_the_order_of_seeds_in_the_file_means_nothing(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        before = contents(FOLDER)
        shuffled = fakes.study(study__seeds=[3, 0, 4, 1, 2])
        train_run(shuffled, "pretrain", "sql", work=fakes.count)
        assert contents(FOLDER) == before

    def test_the_key_changes_with_what_the_result_depends_on(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        key = read_json(FOLDER / "run.json")["key"]
        hotter = study.algorithms["sql"].model_dump(mode="json")
        hotter["temperature"] = {"fixed": 11.0}
        write_yaml(best_file("sql"), hotter)
        train_run(study, "pretrain", "sql", work=fakes.count)
        assert read_json(FOLDER / "run.json")["key"] != key

    def test_nothing_is_left_but_the_results(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        assert list(Path(".checkpoints").iterdir()) == []
        assert [path.name for path in FOLDER.parent.iterdir()] == ["sql"]

    def test_checkpoints_may_be_on_another_disk(self, study, tmp_path, monkeypatch):
        disk = tmp_path / "disk"
        disk.mkdir()
        Path(".checkpoints").symlink_to(disk)

        def replace(source, target, local=os.replace):
            disks = {disk in Path(path).resolve().parents for path in (source, target)}
            if len(disks) == 2:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            local(source, target)

        monkeypatch.setattr(os, "replace", replace)
        train_run(study, "pretrain", "sql", work=fakes.count)
        assert [path.name for path in FOLDER.parent.iterdir()] == ["sql"]
        assert list(disk.iterdir()) == []

    def test_a_failure_leaves_what_there_was(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        before = contents(FOLDER)
        with pytest.raises(UserError, match="ZeroDivisionError"):
            train_run(study, "pretrain", "sql", work=fakes.fail)
        assert contents(FOLDER) == before
        assert fakes.Live.runs[-1].status == "FAILED"

    def test_mlflow_is_told_of_every_seed_while_it_trains(self, study):
        train_run(study, "pretrain", "sql", work=fakes.count)
        (live,) = fakes.Live.runs
        assert live.status == "FINISHED"
        assert live.described["children"] == [f"seed {seed}" for seed in range(5)]
        rows = read_csv(FOLDER / "records.csv")
        for row in rows:
            told = live.points[f"seed {row['seed']}", "train/q_loss", int(row["step"])]
            assert told == float(row["train/q_loss"])
        assert ("seed 4", "final/return", 5) in live.points


def test_whatever_json_says_of_a_run_can_be_read_by_anyone(study):
    train_run(study, "explore", "ddpg", work=fakes.count)
    text = Path("results/runs/explore/ddpg/run.json").read_text()
    assert json.loads(text)["algorithm"]["kind"] == "ddpg"
