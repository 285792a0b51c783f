import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.store.locks import held
from pipeline.study.training import work_folder
from pipeline.study.training.work_folder import claimed, whole_folder

CHECKPOINTS = Path(".checkpoints")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def interrupted(instance: str, key: str) -> Path:
    """What a run that was interrupted has left."""
    with suppress(KeyboardInterrupt), claimed(instance, key) as folder:
        (folder / "0.safetensors").touch()
        raise KeyboardInterrupt
    return folder


class TestClaimed:
    def test_a_second_process_is_refused(self, monkeypatch):
        monkeypatch.setattr(work_folder, "PATIENCE_SECONDS", 0.2)
        with (
            claimed("explore@sql", "a"),
            pytest.raises(UserError, match="another process is computing this"),
            claimed("explore@sql", "a"),
        ):
            pass

    def test_one_that_is_about_to_end_is_waited_for(self):
        first = claimed("explore@sql", "a")
        first.__enter__()
        ending = threading.Timer(0.3, first.__exit__, (None, None, None))
        ending.start()
        with claimed("explore@sql", "a") as folder:
            assert folder.is_dir()
        ending.join()

    def test_what_was_interrupted_is_there_the_next_time(self):
        left = interrupted("explore@sql", "a")
        with claimed("explore@sql", "a") as folder:
            assert folder == left
            assert [file.name for file in folder.iterdir()] == ["0.safetensors"]

    def test_what_is_done_takes_its_own_older_settings_with_it(self):
        interrupted("explore@sql", "old")
        other = interrupted("explore@sql_10", "old")
        with claimed("explore@sql", "new"):
            pass
        assert list(CHECKPOINTS.glob("*/*")) == [other]

    def test_what_fails_takes_nothing_with_it(self):
        left = interrupted("explore@sql", "old")
        also = interrupted("explore@sql", "new")
        assert sorted(CHECKPOINTS.glob("*/*")) == sorted([left, also])

    def test_what_another_process_holds_stays(self):
        left = interrupted("explore@sql", "old")
        with held(left), claimed("explore@sql", "new"):
            pass
        assert list(CHECKPOINTS.glob("*/*")) == [left]

    def test_nothing_is_left_of_what_is_done_but_what_it_keeps(self):
        with claimed("explore@sql", "a"):
            pass
        assert list(CHECKPOINTS.iterdir()) == []
        with claimed("sweep@sql", "b") as folder:
            (folder / "batch_0.json").touch()
        assert list(CHECKPOINTS.glob("*/*/*")) == [folder / "batch_0.json"]


class TestWholeFolder:
    def test_replaces_what_there_was(self, tmp_path):
        target = tmp_path / "results" / "run"
        for name in ("first", "second"):
            with whole_folder(target) as folder:
                (folder / name).touch()
        assert [path.name for path in target.iterdir()] == ["second"]

    def test_a_failure_leaves_what_there_was(self, tmp_path):
        target = tmp_path / "run"
        target.mkdir()
        (target / "file").touch()
        with suppress(KeyError), whole_folder(target) as folder:
            (folder / "half").touch()
            raise KeyError
        assert [path.name for path in target.iterdir()] == ["file"]
        assert list(tmp_path.iterdir()) == [target]

    def test_what_a_killed_process_left_is_not_taken_over(self, tmp_path):
        killed = whole_folder(tmp_path / "run")
        (killed.__enter__() / "half").touch()
        with whole_folder(tmp_path / "run") as folder:
            (folder / "file").touch()
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]
