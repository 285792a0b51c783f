import threading
from contextlib import suppress

import pytest

from pipeline.study import outputs
from pipeline.study.errors import UserError
from pipeline.study.outputs import claimed, tracked, whole_folder
from tests.study import fakes


class TestClaimed:
    def test_a_second_process_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(outputs, "PATIENCE_SECONDS", 0.2)
        with (
            claimed(tmp_path / "run"),
            pytest.raises(UserError, match="another process is computing this"),
            claimed(tmp_path / "run"),
        ):
            pass

    def test_one_that_is_about_to_end_is_waited_for(self, tmp_path):
        first = claimed(tmp_path / "run")
        first.__enter__()
        ending = threading.Timer(0.3, first.__exit__, (None, None, None))
        ending.start()
        with claimed(tmp_path / "run") as folder:
            assert folder.is_dir()
        ending.join()

    def test_a_folder_that_was_left_can_be_claimed_again(self, tmp_path):
        for _ in range(2):
            with claimed(tmp_path / "run") as folder:
                assert folder.is_dir()


class TestWholeFolder:
    def test_replaces_what_there_was(self, tmp_path):
        target = tmp_path / "results" / "run"
        for name in ("first", "second"):
            with whole_folder(target, scratch=tmp_path) as folder:
                (folder / name).touch()
        assert [path.name for path in target.iterdir()] == ["second"]

    def test_a_failure_leaves_what_there_was(self, tmp_path):
        target = tmp_path / "run"
        target.mkdir()
        (target / "file").touch()
        with suppress(KeyError), whole_folder(target, scratch=tmp_path / "s") as folder:
            (folder / "half").touch()
            raise KeyError
        assert [path.name for path in target.iterdir()] == ["file"]


class TestTracked:
    @pytest.mark.parametrize(
        ("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")]
    )
    def test_mlflow_is_told_how_a_stage_ended(self, monkeypatch, error, status):
        monkeypatch.setattr(outputs, "LiveRun", fakes.Live)
        monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
        described = {"study": "s", "stage": "explore", "run": "sql", "key": "0"}
        with pytest.raises(error), tracked(**described, children=[], params={}):
            raise error
        assert fakes.Live.runs[0].status == status
