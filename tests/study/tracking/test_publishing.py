import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from pipeline.study.errors import UserError
from pipeline.study.files import read_json, read_yaml
from pipeline.study.settings import tracking_uri
from pipeline.study.tracking.live import LiveRun
from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.view import VIEW_TAG
from tests.projects import commit, environment, run

pytestmark = pytest.mark.slow

STEPS = (100, 200, 300, 400)
TRAIN = [(step, step / 2) for step in STEPS]


def client():
    return MlflowClient(tracking_uri())


def runs():
    """All runs by name, of which there are never two."""
    found = client().search_runs([experiment().experiment_id])
    named = {run.info.run_name: run for run in found}
    assert len(named) == len(found)
    return named


def older(name):
    """The first of two runs of a name."""
    found = client().search_runs(
        [experiment().experiment_id],
        f"attributes.run_name = '{name}'",
        order_by=["attributes.start_time ASC"],
    )
    assert len(found) == 2
    return found[0].info.run_id


def experiment():
    return client().get_experiment_by_name("tiny")


def history(name, metric):
    points = client().get_metric_history(runs()[name].info.run_id, metric)
    return sorted((point.step, point.value) for point in points)


def artifacts(name, folder):
    """The artifacts of a run as they come back from the store."""
    run_id = runs()[name].info.run_id
    (folder / run_id).mkdir()
    root = Path(client().download_artifacts(run_id, "", str(folder / run_id)))
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def everything():
    """All that the store says of the study, without ids and times."""
    return {
        name: (
            run.info.status,
            run.data.params,
            {metric: history(name, metric) for metric in run.data.metrics},
        )
        for name, run in runs().items()
    }


def live(project, *, name="sql", key=None):
    """A live run as the training stage would open it."""
    described = read_json(project / "results/runs/scratch" / name / "run.json")
    return LiveRun.open(
        study="tiny",
        stage="scratch",
        run=name,
        key=key or described["key"],
        children=["seed 0", "seed 1"],
        params=described,
    )


def train(run, steps):
    for step in steps:
        for seed in (0, 1):
            run.log(f"seed {seed}", step, {"train/return": step / 2 + seed})


class TestWhatIsPublished:
    def test_every_file_that_the_lock_names_is_an_artifact(self, project, tmp_path):
        publish(project, study="tiny")
        for name, entry in read_yaml(project / "dvc.lock")["stages"].items():
            contents = artifacts(name, tmp_path).values()
            for out in entry["outs"]:
                path = project / out["path"]
                files = [path] if path.is_file() else path.rglob("*")
                for file in files:
                    assert file.is_dir() or file.read_bytes() in contents

    def test_artifacts_lie_where_a_reader_looks_for_them(self, project, tmp_path):
        publish(project, study="tiny")
        lock = "dvc.lock.yaml"
        assert artifacts("report", tmp_path).keys() == {
            "report.html",
            "figures/curve.png",
            "figures/scratch_sql.png",
            lock,
        }
        assert artifacts("sweep@sql_multigoal", tmp_path).keys() == {
            "best.yaml",
            "trials/run.json",
            "trials/trials.csv",
            lock,
        }
        assert artifacts("compare", tmp_path).keys() == {"metrics.json", lock}
        assert "figures/scratch_sql.png" in artifacts("scratch@sql", tmp_path)

    def test_a_figure_that_was_drawn_again_replaces_the_one_of_its_run(
        self, project, tmp_path
    ):
        publish(project, study="tiny")
        figure = project / "results/report/figures/scratch_sql.png"
        figure.write_bytes(figure.read_bytes() + b"drawn again")
        run(project, "dvc", "commit", "-q", "-f", "report")
        publish(project, study="tiny")
        client().delete_run(older("report"))  # its lock entry is another now
        shown = artifacts("scratch@sql", tmp_path)["figures/scratch_sql.png"]
        assert shown == figure.read_bytes()
        assert publish(project, study="tiny").completed == 0

    def test_a_run_says_where_it_comes_from(self, project, tmp_path):
        head = commit(project, "nothing")
        publish(project, study="tiny")
        tags = runs()["scratch@sql"].data.tags
        assert tags["mlflow.source.git.commit"] == head
        assert tags["mlflow.source.git.dirty"] == "False"
        assert tags["mlflow.source.name"] == "python make.py scratch sql"
        assert tags["dvc.stage"] == "scratch@sql"
        locked = read_yaml(project / "dvc.lock")["stages"]["scratch@sql"]
        (tmp_path / "entry.yaml").write_text(tags["dvc.lock"])
        assert read_yaml(tmp_path / "entry.yaml") == {"scratch@sql": locked}

    def test_a_run_says_what_it_is(self, project):
        publish(project, study="tiny")
        parent = runs()["scratch@sql"].data
        assert parent.tags["mlflow.note.content"] == (
            "Learn one way, from fresh networks: sql_swimmer on swimmer_forward; "
            "400 environment steps of each of the seeds 0, 1."
        )
        assert parent.params == {
            "task": "swimmer_forward",
            "task.kind": "locomotion",
            "task.horizon": "500",
            "task.objective": "return",
            "algorithm": "sql_swimmer",
            "algorithm.kind": "sql",
            "algorithm.temperature.fixed": "0.03",
            "algorithm.hidden": "[8, 8]",
            "seeds": "[0, 1]",
            "steps": "400",
        }

    def test_seeds_have_curves_and_their_stage_has_the_means(self, project):
        publish(project, study="tiny")
        child = runs()["scratch@sql seed 1"].data
        assert child.params == {"seed": "1"}
        assert history("scratch@sql seed 1", "train/return") == [
            (step, value + 1) for step, value in TRAIN
        ]
        assert history("scratch@sql seed 1", "evaluation/return") == [
            (200, 200.0),
            (400, 400.0),
        ]
        assert history("scratch@sql seed 1", "final/return") == [(400, 2.0)]
        assert history("scratch@sql", "final/return") == [(400, 1.5)]
        assert history("scratch@sql", "train/return") == [
            (step, value + 0.5) for step, value in TRAIN
        ]
        # Seed 1 never reached all goals: a mean over the others would be a lie.
        assert "final/steps_to_all_goals" not in runs()["scratch@sql"].data.metrics

    def test_trials_are_the_children_of_their_sweep(self, project):
        publish(project, study="tiny")
        sweep = runs()["sweep@sql_multigoal"].data
        assert sweep.metrics == {"best/return": 2.5}
        assert sweep.params["best.trial"] == "0.1"
        assert sweep.params["best.temperature.fixed"] == "0.02"
        assert sweep.params["space.temperature.fixed.log_uniform"] == "[0.003, 0.3]"
        best = runs()["sweep@sql_multigoal trial 0.1"]
        assert best.data.params == {"temperature.fixed": "0.02"}
        assert best.data.metrics == {
            "return": 2.5,
            "return/seed_100": 2.0,
            "return/seed_101": 3.0,
        }
        failed = runs()["sweep@sql_multigoal trial 1.0"]
        assert failed.info.status == "FAILED"
        assert failed.data.metrics == {}

    def test_a_table_of_statistics_becomes_metrics(self, project):
        publish(project, study="tiny")
        assert runs()["compare"].data.metrics == {
            "scratch/sql/return/iqm": 1.5,
            "scratch/sql/return/low": 1.0,
            "scratch/sql/return/high": 2.0,
        }

    def test_the_ui_has_a_view_of_the_study(self, project):
        done = publish(project, study="tiny")
        assert VIEW_TAG in experiment().tags
        assert f"/#/experiments/{experiment().experiment_id}/runs?" in str(done)


class TestPublishingAgain:
    def test_changes_nothing(self, project):
        first = publish(project, study="tiny")
        before = everything(), {n: r.info.run_id for n, r in runs().items()}
        second = publish(project, study="tiny")
        assert (first.runs, first.new, first.completed) == (6, 6, 0)
        assert (second.runs, second.new, second.completed) == (6, 0, 0)
        assert before == (everything(), {n: r.info.run_id for n, r in runs().items()})

    def test_needs_no_files(self, project):
        publish(project, study="tiny")
        shutil.rmtree(project / "results")
        assert publish(project, study="tiny").completed == 0

    def test_brings_back_what_somebody_took_away(self, project, tmp_path):
        publish(project, study="tiny")
        whole = everything()
        client().delete_run(runs()["report"].info.run_id)
        client().delete_run(runs()["scratch@sql seed 1"].info.run_id)
        ddpg = runs()["scratch@ddpg"].info.run_id
        shutil.rmtree(project / "mlartifacts" / ddpg)
        done = publish(project, study="tiny")
        assert (done.new, done.completed) == (1, 2)
        assert everything() == whole
        assert "weights.safetensors" in artifacts("scratch@ddpg", tmp_path)

    def test_replaces_a_run_whose_results_are_others(self, project):
        publish(project, study="tiny")
        stale = runs()["scratch@sql"].info.run_id
        records = project / "results/runs/scratch/sql/records.csv"
        records.write_text(records.read_text().replace("0,400,200.0", "0,400,201.0"))
        run(project, "dvc", "commit", "-q", "-f", "scratch@sql")
        assert publish(project, study="tiny").new == 1
        assert runs()["scratch@sql"].info.run_id != stale
        assert history("scratch@sql seed 0", "train/return")[-1] == (400, 201.0)


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


class TestResultsThatAreNotHere:
    def test_are_asked_for_in_one_line(self, project):
        shutil.rmtree(project / "results/runs/scratch/sql")
        with pytest.raises(UserError, match="scratch/sql is not here: `dvc pull`"):
            publish(project, study="tiny")

    def test_and_those_of_another_commit_are_refused(self, project):
        (project / "results/runs/scratch/sql/final.csv").write_text(
            "seed,return\n0,9\n"
        )
        with pytest.raises(UserError, match=r"is not what dvc\.lock says"):
            publish(project, study="tiny")

    def test_do_not_matter_once_the_run_is_gone_from_the_study(self, project):
        params = project / "params.yaml"
        before, scratch = params.read_text().split("\nscratch:\n")
        shorter = re.sub(r"^    ddpg: .*\n", "", scratch, count=1, flags=re.MULTILINE)
        params.write_text(f"{before}\nscratch:\n{shorter}")
        shutil.rmtree(project / "results/runs/scratch/ddpg")
        assert publish(project, study="tiny").runs == 5
        assert "scratch@ddpg" not in runs()

    def test_come_with_dvc_pull_into_a_clone(self, project, tmp_path, monkeypatch):
        remote, clone = tmp_path / "remote", tmp_path / "clone"
        run(project, "dvc", "remote", "add", "-q", "-d", "shared", str(remote))
        commit(project, "share")
        run(project, "dvc", "push", "-q")
        run(tmp_path, "git", "clone", "-q", str(project), str(clone))
        monkeypatch.chdir(clone)
        told = run(clone, sys.executable, "-m", "stages.publish", status=2)
        assert told.count("\n") == 1
        assert "dvc pull" in told
        run(clone, "dvc", "pull", "-q")
        told = run(clone, sys.executable, "-m", "stages.publish")
        assert told.startswith("published 6 runs (6 new, 0 completed) to sqlite:////")
        assert (clone / "mlflow.db").exists()


class TestTheCommand:
    def test_says_in_one_line_that_the_store_does_not_answer(
        self, project, monkeypatch
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        told = run(project, sys.executable, "-m", "stages.publish", status=1)
        assert told.count("\n") == 1
        assert told.startswith(
            "error: the MLflow store http://127.0.0.1:9 does not answer: "
        )
        assert "secret" not in told

    def test_logs_experiments_of_dvc_to_the_same_store(self, project):
        (project / "dvc.yaml").write_text(
            (project / "dvc.yaml").read_text()
            + "  publish:\n"
            + "    cmd: python -m stages.publish\n"
            + "    deps: [results/sweep, results/runs, results/report]\n"
        )
        commit(project, "publish")
        run(project, "dvc", "repro", "-q")
        commit(project, "published")
        for steps, where in (11000, ()), (12000, ("--temp",)):
            change = f"scratch.steps={steps}"
            run(project, "dvc", "exp", "run", "-q", *where, "-S", change)
        study = client().get_experiment_by_name("laptop")
        found = client().search_runs([study.experiment_id])
        parents = [one for one in found if one.data.tags.get("maxent.key")]
        named = [one for one in parents if one.info.run_name == "scratch@sql"]
        assert len(named) == 3
        assert len({one.data.tags.get("dvc.experiment") for one in named}) == 3
        unchanged = [one for one in parents if one.info.run_name == "check"]
        assert len(unchanged) == 1
        assert {Path(one.info.artifact_uri[7:]).parents[1] for one in found} == {
            project / "mlartifacts"
        }


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
        _await(f"{address}/health")
        yield address
    finally:
        started.terminate()
        started.wait(timeout=30)


def _await(address):
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.2)


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
