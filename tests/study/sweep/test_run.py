import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.core.config.values import with_values
from pipeline.study.errors import UserError
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_csv, read_json, read_yaml
from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.sweep import run
from pipeline.study.sweep.plan import Asked, SweepPlan
from pipeline.study.sweep.trials import Trial, load_sweep, write_fresh, write_trials
from tests.study import fakes
from tests.study.checked import said

FOLDER = Path("results/sweep/sql")
MEDIAN = {"percentile": 50.0, "startup_trials": 2, "warmup_steps": 2}
FIXED = {"temperature.fixed": 1.0}
CONDITIONAL = {
    "hidden": {"choice": [[8], [16]]},
    "temperature": {
        "choice": {
            "low": {"fixed": 0.5},
            "any": {"fixed": {"log_uniform": [0.3, 19.0]}, "annealing": None},
        }
    },
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setattr("pipeline.study.tracking.live.LiveRun", fakes.Live)
    monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
    monkeypatch.setattr(run, "Storage", lambda *_: NoStorage())
    write_fingerprints(["sweep"])
    return fakes.study()


def run_sweep(study, name, *, work):
    run.run_sweep(said(study, "sweep", name), "small", work=work)


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


class NoStorage:
    def show(self, over: Mapping[int, Trial]) -> None:
        pass

    def close(self) -> None:
        pass


class TestRunSweep:
    def test_a_value_is_the_statistic_over_seeds(self, study):
        run_sweep(study, "sql", work=fakes.judge)
        rows = read_csv(FOLDER / "trials" / "trials.csv")
        assert [row["trial"] for row in rows] == [str(n) for n in range(6)]
        for row in rows:
            alpha = float(row["temperature.fixed"])
            expected = 0.5 + 0.1005 - (math.log(alpha) - 1) ** 2
            if alpha > 20:
                assert (row["state"], row["value"]) == ("FAIL", "")
                reason = "seed 100: its return is not a finite number"
                assert row["reason"] == reason
            else:
                assert float(row["value"]) == pytest.approx(expected)
                seen = float(row["value_seed_101"])
                assert seen == pytest.approx(expected + 5e-4)

    def test_best_is_the_whole_configuration_with_the_best_settings(self, study):
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
        assert described["best"]["trial"] == int(leader["trial"])

    def test_the_best_is_trained_again_on_seeds_that_had_no_part_in_it(self, study):
        run_sweep(study, "sql", work=fakes.judge)
        sweep = load_sweep(FOLDER / "trials", "sql")
        assert [*sweep.fresh] == [200, 201]
        for seed, value in sweep.fresh.items():
            assert value == pytest.approx(sweep.best["value"] + (seed - 100.5) / 1000)

    def test_what_is_written_is_read_back(self, study):
        study = fakes.study(
            sweep__budgets__multigoal__trials=12,
            sweep__search__pruning=MEDIAN,
            sweep__runs__sql__space=CONDITIONAL,
            execution__members_per_process=6,
        )
        run_sweep(study, "sql", work=fakes.judge)
        sweep = load_sweep(FOLDER / "trials", "sql")
        before = contents(FOLDER)
        folder = Path("again")
        write_trials(folder, sweep.trials, sweep.space, sweep.seeds)
        write_fresh(folder, sweep.fresh)
        for name, content in contents(folder).items():
            assert content == before[f"trials/{name}"]
        assert {trial.state for trial in sweep.trials} >= {"COMPLETE", "PRUNED"}
        assert {trial.params["temperature"] for trial in sweep.trials} == {"low", "any"}

    def test_trials_of_unlike_networks_share_no_job(self, study):
        study = fakes.study(
            sweep__runs__sql__space=CONDITIONAL, execution__members_per_process=6
        )
        plan = SweepPlan(said(study, "sweep", "sql"))
        tried = {
            number: Asked({"hidden": hidden, "temperature": "any", **FIXED}, {})
            for number, hidden in enumerate(["[8]", "[16]", "[8]"])
        }
        jobs = plan.jobs(tried)
        assert {*jobs} == {(0, 2), (1,)}
        assert jobs[0, 2].seeds == (100, 101, 100, 101)
        assert [one.hidden for one in jobs[1,].algorithms] == [(16,), (16,)]

    def test_without_trials_the_settings_written_by_hand_are_the_best(self, study):
        run_sweep(study, "ddpg", work=fakes.fail)
        folder = Path("results/sweep/ddpg")
        by_hand = study.algorithms["ddpg"].model_dump(mode="json")
        assert read_yaml(folder / "best.yaml") == by_hand
        assert [path.name for path in (folder / "trials").iterdir()] == ["run.json"]
        assert fakes.Live.runs == []

    def test_a_sweep_in_which_all_trials_fail_is_one_line(self, study):
        hot = {"temperature.fixed": {"log_uniform": [21.0, 30.0]}}
        study = fakes.study(sweep__runs__sql__space=hot)
        with pytest.raises(UserError, match="sweep@sql: no trial has a finite return"):
            run_sweep(study, "sql", work=fakes.judge)
        (live,) = fakes.Live.runs
        assert live.status == "FAILED"

    def test_mlflow_is_told_of_trials_while_they_train(self, study):
        study = fakes.study(sweep__search__pruning=MEDIAN)
        run_sweep(study, "sql", work=fakes.judge)
        run_sweep(study, "sql", work=fakes.judge)  # all found
        computed, found = fakes.Live.runs
        assert computed.points == found.points
        assert computed.over == found.over
        trials = load_sweep(FOLDER / "trials", "sql").trials
        for trial in trials:
            child = f"trial {trial.number}"
            title, params = computed.children[child]
            assert title.startswith(f"{child} · learning_rate.q ")
            assert params == trial.params
            assert computed.over[child][1] == {
                "state": trial.state,
                "reason": trial.reason,
            }
            curve = {
                step: value
                for (name, metric, step), value in computed.points.items()
                if (name, metric) == (child, "evaluation/return")
            }
            assert curve == trial.statistics
        assert ("trial 1", "return/seed_100", 5) in computed.points
        assert ("fresh seeds", "return/seed_201", 5) in computed.points

    def test_its_key_names_everything_that_a_trial_depends_on(self, study):
        def plan(**changes):
            return SweepPlan(said(fakes.study(**changes), "sweep", "sql"))

        key = plan().trials_key
        for place, changed in (
            ("sweep__search__seed", 2),
            ("sweep__search__sampler", {"random": {}}),
            ("sweep__search__pruning", MEDIAN),
            ("sweep__search__lag", 3),
            ("sweep__search__statistic", "median"),
            ("sweep__search__seeds", [100, 102]),
            ("sweep__budgets__multigoal__steps", 6),
            ("execution__members_per_process", 4),
            ("algorithms__sql__batch", 9),
            ("tasks__multigoal__horizon", 31),
        ):
            assert plan(**{place: changed}).trials_key != key
        for place, changed in (
            ("sweep__budgets__multigoal__trials", 9),
            ("sweep__search__fresh_seeds", [300]),
        ):
            more = plan(**{place: changed})
            assert more.trials_key == key
            assert more.key != plan().key
