import math
import random
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest

from pipeline.core.config import with_values
from pipeline.study import outputs, trials
from pipeline.study.dashboard import Dashboard
from pipeline.study.errors import UserError
from pipeline.study.files import read_csv, read_json, read_yaml
from pipeline.study.params import LogUniform, Study, Uniform
from pipeline.study.sweep import FinishedBatches, Params, Trial, best, propose, search
from pipeline.study.trials import Sweep, run_sweep
from tests.study import fakes

SPACE = {
    "temperature.fixed": LogUniform(log_uniform=(0.3, 30.0)),
    "learning_rate.q": LogUniform(log_uniform=(1e-4, 1e-2)),
    "momentum": Uniform(uniform=(-1.0, 1.0)),
}
HISTORY = [
    Trial(0, slot, params, [float(slot), None if slot == 2 else 0.5])
    for slot, params in enumerate(propose(SPACE, [], seed=1, batch=0, size=6))
]


class TestPropose:
    def test_depends_on_seed_batch_and_history_alone(self):
        described = {"seed": 1, "batch": 1, "size": 4}
        first = propose(SPACE, HISTORY, **described)
        random.seed(5)
        assert propose(SPACE, HISTORY, **described) == first
        assert propose(SPACE, HISTORY, **described | {"seed": 2}) != first
        assert propose(SPACE, HISTORY, **described | {"batch": 2}) != first
        assert propose(SPACE, HISTORY[:5], **described) != first

    def test_the_order_in_which_the_space_is_written_means_nothing(self):
        backwards = dict(reversed(SPACE.items()))
        described = {"seed": 1, "batch": 1, "size": 4}
        there = propose(SPACE, HISTORY, **described)
        assert propose(backwards, HISTORY, **described) == there

    def test_stays_inside_the_space(self):
        for params in propose(SPACE, HISTORY, seed=3, batch=1, size=20):
            assert list(params) == sorted(SPACE)
            for name, value in params.items():
                low, high = SPACE[name].bounds
                assert low <= value <= high

    def test_finds_the_better_half_sooner_than_chance(self):
        last = run(batches=10, size=4)[-1]
        late = [trial.value for trial in last[20:]]
        early = [trial.value for trial in last[:4]]
        assert sum(late) / len(late) > sum(early) / len(early)


def value(params: Params) -> float:
    """A hill over log α, best at α = e."""
    return -((math.log(params["temperature.fixed"]) - 1) ** 2)


def judge(batch: int, tried: Sequence[Params]) -> list[list[float]]:
    return [[value(params), value(params) + 0.1] for params in tried]


class KilledError(Exception):
    pass


def run(folder: Path | None = None, evaluate=judge, **changes) -> list[list[Trial]]:
    described = {"seed": 1, "batches": 4, "size": 3} | changes
    finished = FinishedBatches(folder or Path("/nowhere"))
    if folder is None:
        finished.save = lambda batch, trials: None  # type: ignore[method-assign]
    return list(search(SPACE, finished=finished, evaluate=evaluate, **described))


class TestSearch:
    def test_more_batches_later_are_the_same_as_all_at_once(self, tmp_path):
        asked = []

        def counted(batch: int, tried: Sequence[Params]) -> list[list[float]]:
            asked.append(batch)
            return judge(batch, tried)

        run(tmp_path, counted, batches=2)
        later = run(tmp_path, counted, batches=5)
        assert later[-1] == run(batches=5)[-1]
        assert asked == [0, 1, 2, 3, 4]

    def test_goes_on_after_it_was_killed(self, tmp_path):
        def killed(batch: int, tried: Sequence[Params]) -> list[list[float]]:
            if batch == 2:
                raise KilledError
            return judge(batch, tried)

        with pytest.raises(KilledError):
            run(tmp_path, killed)
        assert run(tmp_path)[-1] == run()[-1]

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"slot": 1', '"slot": 2'),
            lambda text: "",
            lambda text: "{}",
        ],
    )
    def test_a_damaged_batch_is_computed_again(self, tmp_path, damage):
        whole = run(tmp_path)[-1]
        file = tmp_path / "batch_1.json"
        content = file.read_text()
        file.write_text(damage(content))
        assert run(tmp_path)[-1] == whole
        assert file.read_text() == content

    def test_a_batch_that_was_asked_for_otherwise_is_not_used(self, tmp_path):
        run(tmp_path, seed=2)
        assert run(tmp_path, seed=1)[-1] == run(seed=1)[-1]

    def test_a_trial_fails_when_a_seed_has_no_finite_value(self):
        def broken(batch: int, tried: Sequence[Params]) -> list[list[float]]:
            return [[math.nan, 1.0], [math.inf, 1.0], [0.5, 1.5]]

        last = run(evaluate=broken)[-1]
        assert [trial.state for trial in last[:3]] == ["FAIL", "FAIL", "COMPLETE"]
        assert [trial.value for trial in last[:3]] == [None, None, 1.0]

    def test_the_best_is_the_first_of_the_largest(self):
        tried = [
            Trial(0, slot, {}, [v]) for slot, v in enumerate((None, 1.0, 2.0, 2.0))
        ]
        assert best(tried) == tried[2]
        assert best(tried[:1]) is None


FOLDER = Path("results/sweep/sql")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setattr(outputs, "LiveRun", fakes.Live)
    monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
    monkeypatch.setattr(trials, "Dashboard", lambda *_: NoDashboard())
    return fakes.study()


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
        folders = list(Path(".checkpoints").iterdir())
        assert len(folders) == 1
        for file in folders[0].iterdir():
            file.unlink()

        monkeypatch.setenv("MAXENT_WORKERS", "2")
        one = fakes.study(sweep__budgets__multigoal__batches=1)
        run_sweep(one, "sql", work=fakes.judge)
        assert contents(FOLDER) != whole
        run_sweep(study, "sql", work=fakes.judge)
        assert contents(FOLDER) == whole
        assert list(Path(".checkpoints").iterdir()) == folders

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
        key = Sweep.of(study, "sql").batch_key
        for place, changed in (
            ("sweep__seed", 2),
            ("sweep__seeds", [100, 102]),
            ("sweep__budgets__multigoal__steps", 6),
            ("sweep__budgets__multigoal__trials_per_batch", 4),
            ("execution__members_per_process", 3),
            ("algorithms__sql__batch", 9),
            ("tasks__multigoal__horizon", 31),
        ):
            assert Sweep.of(fakes.study(**{place: changed}), "sql").batch_key != key
        more = fakes.study(sweep__budgets__multigoal__batches=9)
        assert Sweep.of(more, "sql").batch_key == key
        assert Sweep.of(more, "sql").key != Sweep.of(study, "sql").key


class TestDashboard:
    def test_optuna_can_open_the_trials(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("DVC_ROOT", raising=False)
        for _ in range(2):  # the second replaces the first
            dashboard = Dashboard("small sweep@sql", SPACE)
            dashboard.show(HISTORY[:2])
            dashboard.show(HISTORY)
        shown = optuna.load_study(
            study_name="small sweep@sql", storage="sqlite:///optuna.db"
        )
        assert [trial.state.name for trial in shown.trials] == [
            trial.state for trial in HISTORY
        ]
        assert shown.trials[3].params == HISTORY[3].params

    def test_a_failure_is_one_warning(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("DVC_ROOT", str(tmp_path / "missing"))
        dashboard = Dashboard("small sweep@sql", SPACE)
        dashboard.show(HISTORY)
        dashboard.show(HISTORY)
        warned = capsys.readouterr().err.splitlines()
        assert len(warned) == 1
        assert warned[0].startswith("warning: optuna.db is not kept up: ")
