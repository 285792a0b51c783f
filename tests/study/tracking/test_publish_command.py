"""The command, and results that are not here."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.store import Store
from tests.projects import commit, run
from tests.study.tracking.store import client, runs

pytestmark = pytest.mark.slow


class TestResultsThatAreNotHere:
    def test_are_asked_for_in_one_line(self, project):
        shutil.rmtree(project / "results/runs/scratch/hallway_sql")
        with pytest.raises(
            UserError, match="scratch/hallway_sql is not here: `dvc pull`"
        ):
            publish(project, study="tiny")

    def test_and_those_of_another_commit_are_refused(self, project):
        (project / "results/runs/scratch/hallway_sql/final.csv").write_text(
            "seed,return\n0,9\n"
        )
        with pytest.raises(UserError, match=r"is not what dvc\.lock says"):
            publish(project, study="tiny")

    def test_do_not_matter_once_the_run_is_gone_from_the_study(self, project):
        params = project / "params.yaml"
        before, scratch = params.read_text().split("\nscratch:\n")
        shorter = re.sub(
            r"^    hallway_ddpg: .*\n", "", scratch, count=1, flags=re.MULTILINE
        )
        params.write_text(f"{before}\nscratch:\n{shorter}")
        shutil.rmtree(project / "results/runs/scratch/hallway_ddpg")
        assert publish(project, study="tiny").runs == 5
        assert "scratch@hallway_ddpg" not in runs()

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

    def test_says_no_more_where_the_store_cannot_be_written(self, project, monkeypatch):
        address = f"sqlite:///file:{project}/mlflow.db?mode=ro&uri=true"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        told = run(project, sys.executable, "-m", "stages.publish", status=1)
        assert told.startswith("error: the MLflow store sqlite:")
        assert told.count("\n") == 1

    def test_prints_a_command_that_can_be_pasted(self, checkout, monkeypatch):
        moved = checkout.rename(checkout.with_name("my stüdy"))
        monkeypatch.chdir(moved)
        command = Store("tiny").how_to_open().split("`")[1]
        assert shlex.split(command)[-1] == f"sqlite:///{moved}/mlflow.db"

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
        named = [one for one in parents if one.info.run_name == "scratch@hallway_sql"]
        assert len(named) == 3
        assert len({one.data.tags.get("dvc.experiment") for one in named}) == 3
        unchanged = [one for one in parents if one.info.run_name == "check"]
        assert len(unchanged) == 1
        assert {Path(one.info.artifact_uri[7:]).parents[1] for one in found} == {
            project / "mlartifacts"
        }
