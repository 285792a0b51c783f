"""Publishing completes what training has logged, in a database or on a server."""

import hashlib
import json

import pytest

from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.view import VIEW_TAG
from tests.servers import free_port, mlflow_server
from tests.study.tracking import store

pytestmark = pytest.mark.slow


class TestALiveRun:
    def test_is_completed_and_not_doubled(self, project, tmp_path):
        store.train(project)
        before = store.runs()["scratch@hallway_sql"].info
        done = publish(project, study="tiny")
        assert (done.new, done.completed) == (5, 1)
        after = store.runs()["scratch@hallway_sql"].info
        assert (after.run_id, after.end_time) == (before.run_id, before.end_time)
        assert (
            store.history("scratch@hallway_sql seed 0", "train/return") == store.TRAIN
        )
        assert store.history("scratch@hallway_sql seed 0", "final/return") == [
            (400, 1.0)
        ]
        assert "weights.safetensors" in store.artifacts("scratch@hallway_sql", tmp_path)

    def test_that_was_interrupted_is_filled_up(self, project):
        store.train(project, steps=store.STEPS[:2], status="KILLED")
        publish(project, study="tiny")
        assert (
            store.history("scratch@hallway_sql seed 0", "train/return") == store.TRAIN
        )
        assert store.runs()["scratch@hallway_sql"].info.status == "FINISHED"

    def test_says_the_same_as_one_that_was_published(self, project):
        for name in ("hallway_sql", "hallway_ddpg"):
            store.train(project, name=name)
        publish(project, study="tiny")
        mixed = store.everything()
        store.client().rename_experiment(store.experiment().experiment_id, "before")
        publish(project, study="tiny")
        assert store.everything() == mixed


@pytest.fixture
def server(tmp_path):
    """The address of an MLflow server of its own."""
    root = tmp_path / "server"
    with mlflow_server(root, f"sqlite:///{root}/mlflow.db", free_port()) as address:
        yield address


def test_a_server_has_the_same_as_a_database(
    project, server, monkeypatch, tmp_path, capsys
):
    publish(project, study="tiny")
    expected = store.everything()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    store.train(project)
    done = publish(project, study="tiny")
    assert (done.new, done.completed) == (5, 1)
    assert store.everything() == expected
    weights = store.artifacts("scratch@hallway_sql", tmp_path)["weights.safetensors"]
    assert hashlib.sha256(weights).hexdigest() == hashlib.sha256(b"weights").hexdigest()
    assert publish(project, study="tiny").completed == 0
    assert capsys.readouterr().out == "", "MLflow prints an address for each run"
    view = json.loads(store.experiment().tags[VIEW_TAG])
    assert view["name"] == "study"
