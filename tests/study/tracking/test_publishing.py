"""What is published of a study, once and again."""

import shutil

import pytest

from pipeline.study.store.files import read_yaml
from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.view import VIEW_TAG
from tests.projects import commit, run
from tests.study.tracking import store

pytestmark = pytest.mark.slow


class TestWhatIsPublished:
    def test_every_file_that_the_lock_names_is_an_artifact(self, project, tmp_path):
        publish(project, study="tiny")
        for name, entry in read_yaml(project / "dvc.lock")["stages"].items():
            contents = store.artifacts(name, tmp_path).values()
            for out in entry["outs"]:
                path = project / out["path"]
                files = [path] if path.is_file() else path.rglob("*")
                for file in files:
                    assert file.is_dir() or file.read_bytes() in contents

    def test_artifacts_lie_where_a_reader_looks_for_them(self, project, tmp_path):
        publish(project, study="tiny")
        lock = "dvc.lock.yaml"
        assert store.artifacts("report", tmp_path).keys() == {
            "report.html",
            "figures/curve.png",
            "figures/scratch_hallway_sql.png",
            "figures/sweep_sql_multigoal.png",
            "figures/sweep_sql_multigoal-contour.png",
            lock,
        }
        assert store.artifacts("sweep@sql_multigoal", tmp_path).keys() == {
            "best.yaml",
            "figures/sweep_sql_multigoal.png",
            "figures/sweep_sql_multigoal-contour.png",
            "trials/curves.csv",
            "trials/fresh.csv",
            "trials/run.json",
            "trials/trials.csv",
            lock,
        }
        assert store.artifacts("compare", tmp_path).keys() == {"metrics.json", lock}
        assert "figures/scratch_hallway_sql.png" in store.artifacts(
            "scratch@hallway_sql", tmp_path
        )

    def test_a_figure_that_was_drawn_again_replaces_the_one_of_its_run(
        self, project, tmp_path
    ):
        publish(project, study="tiny")
        figure = project / "results/report/figures/scratch_hallway_sql.png"
        figure.write_bytes(figure.read_bytes() + b"drawn again")
        run(project, "dvc", "commit", "-q", "-f", "report")
        publish(project, study="tiny")
        store.client().delete_run(store.older("report"))  # its lock entry is new
        shown = store.artifacts("scratch@hallway_sql", tmp_path)[
            "figures/scratch_hallway_sql.png"
        ]
        assert shown == figure.read_bytes()
        assert publish(project, study="tiny").completed == 0

    def test_a_run_says_where_it_comes_from(self, project, tmp_path):
        head = commit(project, "nothing")
        publish(project, study="tiny")
        tags = store.runs()["scratch@hallway_sql"].data.tags
        assert tags["mlflow.source.git.commit"] == head
        assert tags["mlflow.source.git.dirty"] == "False"
        assert tags["mlflow.source.name"] == "python make.py scratch hallway_sql"
        assert tags["dvc.stage"] == "scratch@hallway_sql"
        locked = read_yaml(project / "dvc.lock")["stages"]["scratch@hallway_sql"]
        (tmp_path / "entry.yaml").write_text(tags["dvc.lock"])
        assert read_yaml(tmp_path / "entry.yaml") == {"scratch@hallway_sql": locked}

    def test_a_run_says_what_it_is(self, project):
        publish(project, study="tiny")
        parent = store.runs()["scratch@hallway_sql"].data
        assert parent.tags["mlflow.note.content"] == (
            "Learn one way, from fresh networks: sql_swimmer on swimmer_forward; "
            "400 environment steps of each of the seeds 0, 1."
        )
        assert parent.params == {
            "task": "swimmer_forward",
            "task.kind": "navigation",
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
        child = store.runs()["scratch@hallway_sql seed 1"].data
        assert child.params == {"seed": "1"}
        assert store.history("scratch@hallway_sql seed 1", "train/return") == [
            (step, value + 1) for step, value in store.TRAIN
        ]
        assert store.history("scratch@hallway_sql seed 1", "evaluation/return") == [
            (200, 200.0),
            (400, 400.0),
        ]
        assert store.history("scratch@hallway_sql seed 1", "final/return") == [
            (400, 2.0)
        ]
        assert store.history("scratch@hallway_sql", "final/return") == [(400, 1.5)]
        assert store.history("scratch@hallway_sql", "train/return") == [
            (step, value + 0.5) for step, value in store.TRAIN
        ]
        # Seed 1 never reached all goals: a mean over the others would be a lie.
        metrics = store.runs()["scratch@hallway_sql"].data.metrics
        assert "final/steps_to_all_goals" not in metrics

    def test_trials_are_the_children_of_their_sweep(self, project):
        publish(project, study="tiny")
        found = store.everything()
        status, params, metrics = found["sweep@sql_multigoal"]
        assert (status, metrics) == (
            "FINISHED",
            {"best/return": [(400, 2.5)], "fresh/return": [(400, 2.0)]},
        )
        assert params["best.trial"] == "1"
        assert params["best.temperature.fixed"] == "0.02"
        assert params["space.temperature.fixed.log_uniform"] == "[0.003, 0.3]"
        assert found["trial 1 · temperature.fixed 0.02"] == (
            "FINISHED",
            {"temperature.fixed": "0.02", "state": "COMPLETE", "best": "true"},
            {
                "return": [(400, 2.5)],
                "return/seed_100": [(400, 2.0)],
                "return/seed_101": [(400, 3.0)],
                "evaluation/return": [(200, 0.5)],
                "evaluation/return/seed_100": [(200, 0.0)],
                "evaluation/return/seed_101": [(200, 1.0)],
            },
        )
        status, params, metrics = found["trial 2 · temperature.fixed 0.3"]
        assert (status, metrics) == ("FAILED", {})
        assert (params["state"], params["reason"]) == ("FAIL", "seed 101: no number")
        status, _, metrics = found["trial 3 · temperature.fixed 0.1"]
        assert status == "KILLED"
        assert metrics["evaluation/return"] == [(200, -1.0)]
        assert found["sweep@sql_multigoal fresh seeds"][2] == {
            "return": [(400, 2.0)],
            "return/seed_200": [(400, 1.0)],
            "return/seed_201": [(400, 3.0)],
        }

    def test_a_table_of_statistics_becomes_metrics(self, project):
        publish(project, study="tiny")
        assert store.runs()["compare"].data.metrics == {
            "scratch/sql/return/iqm": 1.5,
            "scratch/sql/return/low": 1.0,
            "scratch/sql/return/high": 2.0,
        }

    def test_the_ui_has_a_view_of_the_study(self, project):
        done = publish(project, study="tiny")
        assert VIEW_TAG in store.experiment().tags
        assert f"/#/experiments/{store.experiment().experiment_id}/runs?" in str(done)


def ids():
    return {name: run.info.run_id for name, run in store.runs().items()}


class TestPublishingAgain:
    def test_changes_nothing(self, project):
        first = publish(project, study="tiny")
        before = store.everything(), ids()
        second = publish(project, study="tiny")
        assert (first.runs, first.new, first.completed) == (6, 6, 0)
        assert (second.runs, second.new, second.completed) == (6, 0, 0)
        assert before == (store.everything(), ids())

    def test_needs_no_files(self, project):
        publish(project, study="tiny")
        shutil.rmtree(project / "results")
        assert publish(project, study="tiny").completed == 0

    def test_brings_back_what_somebody_took_away(self, project, tmp_path):
        publish(project, study="tiny")
        whole = store.everything()
        store.client().delete_run(store.runs()["report"].info.run_id)
        store.client().delete_run(
            store.runs()["scratch@hallway_sql seed 1"].info.run_id
        )
        ddpg = store.runs()["scratch@hallway_ddpg"].info.run_id
        shutil.rmtree(project / "mlartifacts" / ddpg)
        done = publish(project, study="tiny")
        assert (done.new, done.completed) == (1, 2)
        assert store.everything() == whole
        assert "weights.safetensors" in store.artifacts(
            "scratch@hallway_ddpg", tmp_path
        )

    def test_replaces_a_run_whose_results_are_others(self, project):
        publish(project, study="tiny")
        stale = store.runs()["scratch@hallway_sql"].info.run_id
        records = project / "results/runs/scratch/hallway_sql/records.csv"
        records.write_text(records.read_text().replace("0,400,200.0", "0,400,201.0"))
        run(project, "dvc", "commit", "-q", "-f", "scratch@hallway_sql")
        assert publish(project, study="tiny").new == 1
        assert store.runs()["scratch@hallway_sql"].info.run_id != stale
        assert store.history("scratch@hallway_sql seed 0", "train/return")[-1] == (
            400,
            201.0,
        )
