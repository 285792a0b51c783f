"""Publishing completes what training has logged."""

import pytest

from pipeline.study.tracking.publishing import publish
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
