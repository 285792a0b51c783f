import pytest

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import CHECKOUT, settings, store_root


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("DVC_ROOT", "MAXENT_WORKERS"):
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


class TestTheCheckoutOfTheStore:
    def test_is_the_working_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert store_root() == tmp_path

    def test_of_an_experiment_in_a_temporary_folder_is_where_it_was_started(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("DVC_ROOT", str(tmp_path))
        monkeypatch.chdir("/")
        assert store_root() == tmp_path

    def test_of_a_workspace_that_lost_it_is_asked_for(self, tmp_path, monkeypatch):
        (tmp_path / CHECKOUT).write_text("../gone\n")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UserError, match=r"/gone, .* not there .*make study STUDY="):
            store_root()
