"""PostgreSQL and MLflow's server, and clones of a team that publish to them at once."""

import gc
import json
import multiprocessing
import os
import shutil
import time
from contextlib import closing
from dataclasses import dataclass

import optuna
import pytest

from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.sweep.storage import Storage
from pipeline.study.tracking import live
from pipeline.study.tracking.owner import OWNER
from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.view import VIEW_TAG
from stages import publish as command
from tests.servers import Postgres, free_port, mlflow_server, postgres_server
from tests.study.sweep.over import over, plan
from tests.study.tracking import store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PARENTS = {
    "check",
    "compare",
    "report",
    "scratch@hallway_ddpg",
    "scratch@hallway_sql",
    "sweep@sql_multigoal",
}
RUN = "scratch@hallway_sql"
TRIALS = 10
PATIENCE_SECONDS = 60


@dataclass
class Servers:
    """What the machines of a team share."""

    postgres: Postgres
    optuna: str
    mlflow: str


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    root = tmp_path_factory.mktemp("server")
    with postgres_server() as postgres:
        database, optuna = postgres.make("mlflow"), postgres.make("optuna")
        with mlflow_server(root, database, free_port()) as mlflow:
            yield Servers(postgres, optuna, mlflow)
        gc.collect()  # connections of this process


def clone(project, root, study):
    """Another checkout of a study, under a name."""
    shutil.copytree(project, root)
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("name: laptop", f"name: {study}", 1))
    return root


def work(roots, everybody):
    """What a member of a team does in one clone after the other."""
    for root, study in roots.items():
        os.chdir(root)
        write_fingerprints(["sweep"])
        everybody.wait()
        with closing(Storage(study, plan())) as storage:
            for count in range(TRIALS + 1):
                storage.show(over(count))
        store.train(root, study=study)
        command.main()


def together(*members):
    """Let the members of a team work at the same time."""
    context = multiprocessing.get_context("spawn")
    everybody = context.Barrier(len(members))
    processes = [
        context.Process(target=work, args=(roots, everybody)) for roots in members
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def there(folder):
    """All that the MLflow store says of the study `tiny`, and all that it keeps."""
    folder.mkdir()
    return store.everything(), {name: store.artifacts(name, folder) for name in PARENTS}


def made(study):
    """The runs of a study, and the checkouts that made them."""
    experiment = store.client().get_experiment_by_name(study)
    runs = store.client().search_runs([experiment.experiment_id])
    owners = {run.data.tags[OWNER] for run in runs if OWNER in run.data.tags}
    return {run.info.run_id for run in runs}, owners


def test_clones_that_work_at_once_have_everything_there_once(
    project, servers, tmp_path, monkeypatch, capfd
):
    publish(project, study="tiny")
    alone = there(tmp_path / "alone")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", servers.mlflow)
    monkeypatch.setenv("MAXENT_OPTUNA_STORAGE", servers.optuna)
    capfd.readouterr()
    together(
        {
            clone(project, tmp_path / "first", "tiny"): "tiny",
            clone(project, tmp_path / "third", "one"): "one",
        },
        {
            clone(project, tmp_path / "second", "tiny"): "tiny",
            clone(project, tmp_path / "fourth", "other"): "other",
        },
    )
    told = capfd.readouterr()
    assert told.err == ""
    assert told.out.count("published 6 runs") == told.out.count("\nopen http:") == 4
    assert told.out.count("\n") == 8, "MLflow prints an address for each run"
    assert there(tmp_path / "there") == alone
    runs, owners = zip(*map(made, ("tiny", "one", "other")), strict=True)
    assert [len(each) for each in runs] == [len(alone[0])] * 3
    assert len(set().union(*owners)) == sum(map(len, owners))
    assert json.loads(store.experiment().tags[VIEW_TAG])["name"] == "study"
    monkeypatch.chdir(tmp_path / "second")
    done = publish(tmp_path / "second", study="tiny")
    assert (done.new, done.completed) == (0, 0)

    names = sorted(optuna.get_all_study_names(servers.optuna))
    assert [name.partition(" ")[0] for name in names] == ["one", "other", "tiny"]
    for name in names:
        trials = optuna.load_study(study_name=name, storage=servers.optuna).trials
        assert [one.number for one in trials] == list(range(TRIALS))
        assert [one.user_attrs["trial"] for one in trials] == list(range(TRIALS))


def test_a_database_that_stops_costs_one_line_and_is_filled_in_later(
    project, servers, monkeypatch, capfd
):
    monkeypatch.setattr(live, "SECONDS_BETWEEN_WRITES", 0.05)
    monkeypatch.setattr(live, "SECONDS_AFTER_A_FAILURE", 0.05)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", servers.mlflow)
    publish(project, study="tiny")
    undisturbed = store.everything()
    store.client().rename_experiment(store.experiment().experiment_id, "before")
    capfd.readouterr()
    store.train(project, steps=stopping_half_way(servers.postgres))
    warning = capfd.readouterr().err
    assert warning.count("\n") == 1
    assert warning.startswith("warning: no live curves: the MLflow store http://127")
    assert "training goes on, `python -m stages.publish` fills them in" in warning
    servers.postgres.start()
    assert store.history(f"{RUN} seed 0", "train/return") == store.TRAIN[:2]
    assert publish(project, study="tiny").completed == 1
    assert store.everything() == undisturbed


def stopping_half_way(postgres):
    """The steps of a run, in the middle of which its store has no database any more."""
    yield from store.STEPS[:2]
    waited_until = time.monotonic() + PATIENCE_SECONDS
    name = f"{RUN} seed 0"
    while name not in store.runs() or len(store.history(name, "train/return")) < 2:
        assert time.monotonic() < waited_until
        time.sleep(0.05)
    postgres.stop()
    yield from store.STEPS[2:]
