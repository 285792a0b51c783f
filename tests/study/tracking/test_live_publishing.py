"""Publishing completes what training has logged, in a database or on a server."""

import hashlib
import json
import socket
import subprocess
import sys

import pytest

from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.view import VIEW_TAG
from tests.projects import await_server, environment
from tests.study.tracking.store import (
    STEPS,
    TRAIN,
    artifacts,
    client,
    everything,
    experiment,
    history,
    live,
    runs,
    train,
)

pytestmark = pytest.mark.slow


class TestALiveRun:
    def test_is_completed_and_not_doubled(self, project, tmp_path):
        training = live(project)
        train(training, STEPS)
        training.close("FINISHED")
        before = runs()["scratch@sql"].info
        done = publish(project, study="tiny")
        assert (done.new, done.completed) == (5, 1)
        after = runs()["scratch@sql"].info
        assert (after.run_id, after.end_time) == (before.run_id, before.end_time)
        assert history("scratch@sql seed 0", "train/return") == TRAIN
        assert history("scratch@sql seed 0", "final/return") == [(400, 1.0)]
        assert "weights.safetensors" in artifacts("scratch@sql", tmp_path)

    def test_that_was_interrupted_is_filled_up(self, project):
        training = live(project)
        train(training, STEPS[:2])
        training.close("KILLED")
        publish(project, study="tiny")
        assert history("scratch@sql seed 0", "train/return") == TRAIN
        assert runs()["scratch@sql"].info.status == "FINISHED"

    def test_says_the_same_as_one_that_was_published(self, project):
        for name in ("sql", "ddpg"):
            training = live(project, name=name)
            train(training, STEPS)
            training.close("FINISHED")
        publish(project, study="tiny")
        mixed = everything()
        client().rename_experiment(experiment().experiment_id, "before")
        publish(project, study="tiny")
        assert everything() == mixed


@pytest.fixture
def server(tmp_path):
    """An MLflow server of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = tmp_path / "server"
    root.mkdir()
    address = f"http://127.0.0.1:{port}"
    store = ["--backend-store-uri", f"sqlite:///{root}/mlflow.db"]
    options = ["--port", str(port), "--workers", "1", *store]
    with (root / "log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            cwd=root,
            env=environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await_server(f"{address}/health")
        yield address
    finally:
        started.terminate()
        started.wait(timeout=30)


def test_a_server_has_the_same_as_a_database(project, server, monkeypatch, tmp_path):
    publish(project, study="tiny")
    expected = everything()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    training = live(project)
    train(training, STEPS)
    training.close("FINISHED")
    done = publish(project, study="tiny")
    assert (done.new, done.completed) == (5, 1)
    assert everything() == expected
    weights = artifacts("scratch@sql", tmp_path)["weights.safetensors"]
    assert hashlib.sha256(weights).hexdigest() == hashlib.sha256(b"weights").hexdigest()
    assert publish(project, study="tiny").completed == 0
    view = json.loads(experiment().tags[VIEW_TAG])
    assert view["name"] == "study"
