"""A checkout that was copied or moved has its store, and no other's."""

import shutil

import pytest

from pipeline.study.tracking.publishing import publish
from tests.study.tracking import store

pytestmark = pytest.mark.slow


def files(folder):
    """Content and time of every file."""
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def locations():
    return {run.info.artifact_uri.rsplit("/", 2)[0] for run in store.runs().values()}


def test_a_copy_writes_nothing_into_the_original(project, tmp_path, monkeypatch):
    publish(project, study="tiny")
    original = files(project)
    copy = shutil.copytree(project, tmp_path / "a_copy")
    monkeypatch.chdir(copy)
    report = store.runs()["report"].info.run_id
    store.client().delete_run(report)
    assert publish(copy, study="tiny").new == 1
    assert store.runs()["report"].info.run_id != report
    assert locations() == {(copy / "mlartifacts").as_uri()}
    assert files(project) == original


def test_what_was_moved_is_whole(project, tmp_path, monkeypatch):
    publish(project, study="tiny")
    moved = project.rename(tmp_path / "moved")
    monkeypatch.chdir(moved)
    done = publish(moved, study="tiny")
    assert (done.new, done.completed) == (0, 0)
    assert locations() == {(moved / "mlartifacts").as_uri()}
    assert "weights.safetensors" in store.artifacts("scratch@hallway_sql", tmp_path)
    assert not project.exists()


def test_a_store_that_others_share_is_left_as_it_is(project, tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shutil.copy("mlflow.db", shared)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}/mlflow.db")
    theirs = (tmp_path / "theirs" / "mlartifacts").as_uri()
    store.client().create_experiment("tiny", theirs)
    publish(project, study="tiny")
    assert locations() == {theirs}
    publish(project, study="other")
    other = store.client().get_experiment_by_name("other")
    assert other.artifact_location == (shared / "mlartifacts").as_uri()
