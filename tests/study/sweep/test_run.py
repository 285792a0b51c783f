import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.core.config.values import with_values
from pipeline.study.errors import UserError
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_csv, read_json, read_yaml
from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.sweep import run
from pipeline.study.sweep.run import SweepPlan
from pipeline.study.sweep.trials import Trial
from tests.study import fakes
from tests.study.checked import said

FOLDER = Path("results/sweep/sql")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setattr("pipeline.study.tracking.live.LiveRun", fakes.Live)
    monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
    monkeypatch.setattr(run, "Dashboard", lambda *_: NoDashboard())
    write_fingerprints(["sweep"])
    return fakes.study()


def run_sweep(study, name, *, work):
    run.run_sweep(said(study, "sweep", name), "small", work=work)


def plan(study):
    return SweepPlan(said(study, "sweep", "sql"))


class NoDashboard:
    def show(self, trials: Sequence[Trial]) -> None:
        pass


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


class TestRunSweep:
    def test_the_table_does_not_depend_on_workers_or_on_earlier_batches(
        self, study, monkeypatch
    ):
        monkeypatch.setenv("MAXENT_WORKERS", "1")
        run_sweep(study, "sql", work=fakes.judge)
        whole = contents(FOLDER)
        folders = list(Path(".checkpoints").glob("*/*"))
        assert len(folders) == 1
        for file in folders[0].iterdir():
            file.unlink()

        monkeypatch.setenv("MAXENT_WORKERS", "2")
        one = fakes.study(sweep__budgets__multigoal__batches=1)
        run_sweep(one, "sql", work=fakes.judge)
        assert contents(FOLDER) != whole
        run_sweep(study, "sql", work=fakes.judge)
        assert contents(FOLDER) == whole
        assert list(Path(".checkpoints").glob("*/*")) == folders

    def test_a_value_is_the_mean_over_seeds(self, study):
        run_sweep(study, "sql", work=fakes.judge)
        rows = read_csv(FOLDER / "trials" / "trials.csv")
        assert [(row["batch"], row["slot"]) for row in rows] == [
            (b, s) for b in "01" for s in "012"
        ]
        for row in rows:
            if row["state"] == "COMPLETE":
                alpha = float(row["temperature.fixed"])
                expected = 0.1005 - (math.log(alpha) - 1) ** 2
                assert float(row["value"]) == pytest.approx(expected)
                assert float(row["value_seed_101"]) == pytest.approx(expected + 5e-4)

    def test_best_is_the_whole_configuration_with_the_best_numbers(self, study):
        run_sweep(study, "sql", work=fakes.judge)
        rows = read_csv(FOLDER / "trials" / "trials.csv")
        leader = max(
            (row for row in rows if row["value"]), key=lambda row: float(row["value"])
        )
        named = {
            name: float(leader[name])
            for name in ("temperature.fixed", "learning_rate.q")
        }
        chosen = with_values(study.algorithms["sql"], named)
        assert read_yaml(FOLDER / "best.yaml") == chosen.model_dump(mode="json")
        described = read_json(FOLDER / "trials" / "run.json")
        assert described["best"]["trial"] == f"{leader['batch']}.{leader['slot']}"

    def test_without_batches_the_numbers_set_by_hand_are_the_best(self, study):
        run_sweep(study, "ddpg", work=fakes.fail)
        folder = Path("results/sweep/ddpg")
        by_hand = study.algorithms["ddpg"].model_dump(mode="json")
        assert read_yaml(folder / "best.yaml") == by_hand
        assert read_csv(folder / "trials" / "trials.csv") == []
        described = read_json(folder / "trials" / "run.json")
        assert described["best"] == {"trial": None, "value": None}
        assert fakes.Live.runs == []

    def test_a_sweep_in_which_all_trials_fail_is_one_line(self, study):
        hot = {"temperature.fixed": {"log_uniform": [21.0, 30.0]}}
        study = fakes.study(sweep__runs__sql__space=hot)
        with pytest.raises(UserError, match="sweep@sql: no trial has a finite return"):
            run_sweep(study, "sql", work=fakes.judge)
        (live,) = fakes.Live.runs
        assert live.status == "FAILED"

    def test_mlflow_is_told_of_trials_while_they_train(self, study):
        run_sweep(study, "sql", work=fakes.judge)
        (live,) = fakes.Live.runs
        assert live.described["children"] == [
            f"trial {b}.{s}" for b in range(2) for s in range(3)
        ]
        curve = [
            step
            for trial, metric, step in live.points
            if (trial, metric) == ("trial 1.2", "evaluation/return")
        ]
        assert curve == [1, 2, 3, 4, 5]
        assert ("trial 0.0", "return/seed_100", 5) in live.points

    def test_its_key_names_everything_that_a_value_depends_on(self, study):
        key = plan(study).batch_key
        for place, changed in (
            ("sweep__seed", 2),
            ("sweep__random_trials", 2),
            ("sweep__seeds", [100, 102]),
            ("sweep__budgets__multigoal__steps", 6),
            ("sweep__budgets__multigoal__trials_per_batch", 4),
            ("execution__members_per_process", 3),
            ("algorithms__sql__batch", 9),
            ("tasks__multigoal__horizon", 31),
        ):
            assert plan(fakes.study(**{place: changed})).batch_key != key
        more = fakes.study(sweep__budgets__multigoal__batches=9)
        assert plan(more).batch_key == key
        assert plan(more).key != plan(study).key
