"""What is told of where a run comes from."""

import subprocess

import pytest

from pipeline.study.tracking.origin import origin_tags
from tests.projects import commit, run


def test_where_git_does_not_answer_its_reason_is_told_once(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for _ in range(2):
        assert "mlflow.source.git.commit" not in origin_tags("command")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: MLflow is told no commit: ")
    assert "safe.directory" in line


def test_where_there_is_no_repository_nothing_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "mlflow.source.git.commit" not in origin_tags("command")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("edited", "dirty"), [("dvc.lock", "False"), ("a", "True")])
def test_a_commit_is_dirty_with_anything_but_the_lock(
    tmp_path, monkeypatch, edited, dirty
):
    (tmp_path / "below").mkdir()
    for name in ("dvc.lock", "a"):
        (tmp_path / name).write_text("before")
    run(tmp_path, "git", "init", "-q")
    run(tmp_path, "git", "config", "user.name", "Tester")
    run(tmp_path, "git", "config", "user.email", "tester@example.org")
    commit(tmp_path, "before")
    (tmp_path / edited).write_text("after")
    monkeypatch.chdir(tmp_path / "below")
    assert origin_tags("command")["mlflow.source.git.dirty"] == dirty
