import numpy as np
import pytest

from pipeline.core.job import Job
from pipeline.study.backends.worker import Desk, Limits, Warned, train
from tests.core.configs import algorithm, task

JOB = Job(task("multigoal"), (algorithm("ddpg"),) * 2, (0, 1), steps=25)


@pytest.fixture
def told():
    """What a worker has reported."""
    return []


@pytest.fixture
def desk(tmp_path, told):
    """Of a worker whose replay is in a file."""
    limits = Limits(checkpoint_seconds=0.0, threads=1, replay_bytes=0)
    return Desk(tmp_path / "0.safetensors", limits, told.append)


@pytest.mark.usefixtures("unchecked")
class TestTrain:
    def test_nothing_is_left_but_the_checkpoint(self, desk):
        killed = desk.checkpoint.with_name(".0.safetensors.77.tmp")
        killed.touch()
        train(JOB, desk)
        assert list(desk.checkpoint.parent.iterdir()) == [desk.checkpoint]

    def test_a_damaged_checkpoint_is_said_and_the_training_starts_over(
        self, desk, told
    ):
        undisturbed = train(JOB, desk)
        content = desk.checkpoint.read_bytes()
        desk.checkpoint.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        told.clear()
        again = train(JOB, desk)
        np.testing.assert_equal(again.final, undisturbed.final)
        (warning,) = [report for report in told if isinstance(report, Warned)]
        assert warning.text.endswith("is not what was written; its members start over")
        assert desk.checkpoint.read_bytes() == content

    def test_what_is_finished_is_read_from_its_checkpoint(self, desk, told):
        undisturbed = train(JOB, desk)
        told.clear()
        again = train(JOB, desk)
        np.testing.assert_equal(again.final, undisturbed.final)
        assert all(report.replayed for report in told)
