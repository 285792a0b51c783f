"""Clones of a study that share a store: none touches what another has made."""

import shutil
import time
from contextlib import nullcontext

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from pipeline.study.tracking.owner import OWNER, owner
from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.store import Store
from pipeline.study.tracking.view import VIEW_TAG
from tests.projects import run
from tests.study.tracking import store

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(project, tmp_path, monkeypatch):
    """A second checkout with the results of the current folder, and its store."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/mlflow.db")
    return shutil.copytree(project, tmp_path / "clone")


def ids():
    return {name: run.info.run_id for name, run in store.runs().items()}


def test_a_checkout_keeps_its_name_when_it_moves_and_a_copy_has_another(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("DVC_ROOT", raising=False)
    names = []
    for folder in ("first", "first", "moved", "copied"):
        if folder == "moved":
            (tmp_path / "first").rename(tmp_path / "moved")
        if folder == "copied":
            shutil.copytree(tmp_path / "moved", tmp_path / "copied")
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        names.append(owner())
    first, again, moved, copied = names
    assert first == again == moved != copied


class TestTheSameResult:
    def test_that_another_has_published_is_recognised(
        self, project, clone, monkeypatch
    ):
        publish(project, study="tiny")
        before = ids(), store.everything()
        monkeypatch.chdir(clone)
        done = publish(clone, study="tiny")
        assert (done.runs, done.new, done.completed) == (6, 0, 0)
        assert (ids(), store.everything()) == before

    def test_that_is_computed_again_is_there_once(self, project, clone, monkeypatch):
        store.train(project)
        publish(project, study="tiny")
        before = ids(), store.everything()
        monkeypatch.chdir(clone)
        store.train(clone)
        publish(clone, study="tiny")
        assert (ids(), store.everything()) == before

    def test_that_both_compute_at_once_is_there_once(self, project, clone, monkeypatch):
        store.train(project, status="KILLED")
        monkeypatch.chdir(clone)
        store.train(clone)
        publish(clone, study="tiny")
        monkeypatch.chdir(project)
        store.train(project)
        publish(project, study="tiny")
        assert len(store.runs()) == 6 + 9

    @pytest.mark.parametrize("ahead", [0, 3600 * 10**9])
    def test_that_both_publish_at_once_is_there_once(
        self, project, clone, monkeypatch, ahead
    ):
        original, clock = Store.add_text, time.time_ns

        def add_text(self, *text):
            monkeypatch.setattr(Store, "add_text", original)
            monkeypatch.chdir(clone)
            monkeypatch.setattr(time, "time_ns", lambda: clock() + ahead)
            publish(clone, study="tiny")
            monkeypatch.setattr(time, "time_ns", clock)
            monkeypatch.chdir(project)
            original(self, *text)

        monkeypatch.setattr(Store, "add_text", add_text)
        monkeypatch.setattr(Store, "exclusive", nullcontext)  # as on two machines
        publish(project, study="tiny")
        if ahead:  # a clock that is wrong hides until later which of both was first
            monkeypatch.chdir(clone)
            publish(clone, study="tiny")
        assert len(store.runs()) == 6 + 9

    def test_whose_view_another_makes_meanwhile_is_shown(self, project, monkeypatch):
        original = MlflowClient.set_experiment_tag

        def set_experiment_tag(self, *tag):
            monkeypatch.setattr(MlflowClient, "set_experiment_tag", original)
            raise MlflowException("duplicate key value violates unique constraint")

        monkeypatch.setattr(MlflowClient, "set_experiment_tag", set_experiment_tag)
        publish(project, study="tiny")
        assert VIEW_TAG in store.experiment().tags


def test_other_results_of_the_same_run_stand_beside_it(project, clone, monkeypatch):
    publish(project, study="tiny")
    before = {run.info.run_id for run in store.runs().values()}
    records = clone / "results/runs/scratch/hallway_sql/records.csv"
    records.write_text(records.read_text().replace("0,400,200.0", "0,400,201.0"))
    run(clone, "dvc", "commit", "-q", "-f", "scratch@hallway_sql")
    monkeypatch.chdir(clone)
    for _ in range(2):
        store.train(clone)
        publish(clone, study="tiny")
    found = store.client().search_runs([store.experiment().experiment_id])
    now = [one.info.run_id for one in found]
    assert before < set(now)
    assert len(now) == len(before) + 3


def test_runs_that_do_not_say_whose_they_are_belong_with_their_store(project, clone):
    publish(project, study="tiny")
    for one in store.runs().values():
        if OWNER in one.data.tags:
            store.client().delete_tag(one.info.run_id, OWNER)
    before = ids()
    records = project / "results/runs/scratch/hallway_sql/records.csv"
    records.write_text(records.read_text().replace("0,400,200.0", "0,400,201.0"))
    run(project, "dvc", "commit", "-q", "-f", "scratch@hallway_sql")
    publish(project, study="tiny")
    changed = {name for name, run_id in ids().items() if run_id != before[name]}
    assert changed == {
        "scratch@hallway_sql",
        "scratch@hallway_sql seed 0",
        "scratch@hallway_sql seed 1",
    }
