from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import settings, store_root, tracking_uri


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI", "MAXENT_WORKERS"):
        monkeypatch.delenv(name, raising=False)


def test_the_number_of_workers_is_left_open_by_default():
    assert settings().workers is None


def test_the_environment_sets_a_setting(monkeypatch):
    monkeypatch.setenv("MAXENT_WORKERS", "3")
    assert settings().workers == 3


def test_an_impossible_value_is_the_users_mistake(monkeypatch):
    monkeypatch.setenv("MAXENT_WORKERS", "0")
    with pytest.raises(UserError, match=r"MAXENT_WORKERS=0: .*greater than 0"):
        settings()


def test_a_misspelt_setting_is_answered_with_the_nearest(monkeypatch):
    monkeypatch.setenv("MAXENT_WORKRES", "3")
    with pytest.raises(UserError, match="did you mean 'MAXENT_WORKERS'"):
        settings()


class TestStore:
    def test_it_is_the_working_folders(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow.db"

    def test_an_experiment_in_a_temporary_folder_uses_its_checkouts(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("DVC_ROOT", str(tmp_path))
        monkeypatch.chdir("/")
        assert store_root() == tmp_path

    def test_a_study_in_a_workspace_uses_its_checkouts(self, tmp_path, monkeypatch):
        workspace = tmp_path / ".studies" / "smoke"
        workspace.mkdir(parents=True)
        monkeypatch.chdir(workspace)
        assert store_root() == tmp_path

    def test_an_address_given_by_the_user_wins(self, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
        assert tracking_uri() == "http://localhost:5000"
        assert isinstance(store_root(), Path)
