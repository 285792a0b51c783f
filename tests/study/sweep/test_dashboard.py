import optuna

from pipeline.study.sweep.dashboard import Dashboard
from tests.study.sweep.examples import HISTORY, SPACE


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
