import math

import numpy as np
import pytest
import torch

from pipeline.core import checkpoint
from pipeline.core.job import Job
from pipeline.core.training import Training, finish
from pipeline.core.weights import policy_bytes
from tests.core.configs import ALGORITHMS, TASKS, algorithm, task


def job(name="sql", where="multigoal", *, seeds=(0, 1), steps=120, start=None):
    return Job(task(where), (algorithm(name),) * len(seeds), seeds, steps, start)


def tensors(training):
    return {k: v.clone() for k, v in training.state()[0].items()}


def assert_same(first, second):
    ours, theirs = tensors(first), tensors(second)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert torch.equal(value, theirs[key]), key
    np.testing.assert_equal(
        [(r.step, r.metrics) for r in first.records],
        [(r.step, r.metrics) for r in second.records],
    )


def trained(work):
    training = Training(work)
    for _ in training:
        pass
    return training


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_training_continues_from_a_checkpoint_to_the_same_bits(name, tmp_path):
    whole = trained(job(name))
    interrupted = Training(job(name))
    records = iter(interrupted)
    for _ in range(2):
        next(records)  # up to step 40
    checkpoint.save(tmp_path / "state", interrupted)
    continued = Training(job(name))
    checkpoint.restore(tmp_path / "state", continued)
    for _ in continued:
        pass
    assert_same(whole, continued)
    np.testing.assert_equal(finish(whole).final, finish(continued).final)
    assert "steps_to_all_goals" in finish(whole).final


@pytest.mark.parametrize("where", TASKS)
def test_every_task_can_be_trained_on_and_continued(where, tmp_path):
    whole = trained(job(where=where, steps=90))
    interrupted = Training(job(where=where, steps=90))
    records = iter(interrupted)
    for _ in range(2):
        next(records)
    checkpoint.save(tmp_path / "state", interrupted)
    continued = Training(job(where=where, steps=90))
    checkpoint.restore(tmp_path / "state", continued)
    for _ in continued:
        pass
    assert_same(whole, continued)
    final = finish(whole).final
    final.pop("steps_to_all_goals", None)  # may be never
    assert all(math.isfinite(x) for values in final.values() for x in values)


def test_what_a_member_learns_does_not_depend_on_the_company():
    # Up to rounding: a batched product of 2 and of 3 may round differently.
    pair, three = trained(job(seeds=(0, 1))), trained(job(seeds=(2, 1, 0)))
    ours, theirs = pair.records[-1].metrics, three.records[-1].metrics
    for name in ("train/q", "evaluation/return"):
        assert ours[name][0] == pytest.approx(theirs[name][2], rel=1e-3)
        assert ours[name][1] == pytest.approx(theirs[name][1], rel=1e-3)


def test_records_come_at_evaluations_and_at_the_end():
    records = trained(job(steps=110)).records
    assert [record.step for record in records] == [0, 40, 80, 100, 110]
    judged = ["evaluation/return" in record.metrics for record in records]
    assert judged == [True, True, True, False, True]
    assert all(len(v) == 2 for r in records for v in r.metrics.values())


def test_no_learning_before_the_warmup_is_over():
    training = Training(job(steps=10))
    before = tensors(training)
    for _ in training:
        pass
    after = tensors(training)
    assert torch.equal(before["agent/q"], after["agent/q"])
    assert int(after["replay/added"]) == 10


def test_truncation_is_not_stored_as_an_end():
    # A pendulum never ends; after 60 steps it has been cut twice.
    training = trained(job(where="pendulum", steps=60))
    terminated = training.state()[0]["replay/block"][..., -1]
    assert terminated.sum() == 0


def write_weights(path, training):
    result = finish(training)
    content = policy_bytes(
        training.job.task,
        training.job.algorithms,
        training.job.seeds,
        result.weights,
        states=result.states,
        actions=result.actions,
    )
    path.write_bytes(content)
    return content


@pytest.mark.parametrize("name", ALGORITHMS)
def test_one_call_rebuilds_the_policy(name, tmp_path):
    training = trained(job(name, steps=40))
    content = write_weights(tmp_path / "weights", training)
    assert content == write_weights(tmp_path / "again", training)
    agent = checkpoint.load_policy(tmp_path / "weights")
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(2, 5, 2, generator=generator)
    noise = torch.randn(2, 5, 2, generator=generator)
    assert torch.equal(agent.sample(state, noise), training.agent.sample(state, noise))
    assert torch.equal(agent.greedy(state), training.agent.greedy(state))
    assert torch.equal(agent.q(state, noise), training.agent.q(state, noise))


def test_finetuning_starts_from_the_networks_of_the_same_seed(tmp_path):
    pretrained = trained(job("sac_2018", steps=40, seeds=(0, 1, 2)))
    write_weights(tmp_path / "weights", pretrained)
    started = Training(job("sac_2018", seeds=(2, 0), start=tmp_path / "weights"))
    for name, rows in (("policy", 1), ("q", 2), ("value", 1), ("value_target", 1)):
        source = pretrained.agent.networks()[name].view(3, rows, -1)
        copy = started.agent.networks()[name].view(2, rows, -1)
        assert torch.equal(copy, source[[2, 0]]), name


def test_a_pretrained_policy_acts_from_the_first_step(tmp_path):
    write_weights(tmp_path / "weights", trained(job("ddpg", steps=40)))
    fresh, started = Training(job("ddpg")), None
    started = Training(job("ddpg", start=tmp_path / "weights"))
    for training in (fresh, started):
        training._advance()
    actions = [t.state()[0]["replay/block"][:, 0, 2:4] for t in (fresh, started)]
    assert not torch.equal(*actions)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "weights"
    write_weights(path, trained(job("sac", steps=20)))
    with pytest.raises(
        checkpoint.WrongStartError, match=r"seeds \[0, 1\], but not \[7\]"
    ):
        Training(job("sac", seeds=(0, 7), start=path))
    with pytest.raises(checkpoint.WrongStartError, match="no 'policy' of width"):
        Training(job("ddpg", start=path))


def test_damaged_files_are_not_read_as_good(tmp_path):
    training = Training(job())
    checkpoint.save(tmp_path / "state", training)
    content = bytearray((tmp_path / "state").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(checkpoint.DamagedError, match="is not what was written"):
        checkpoint.restore(tmp_path / "state", training)
    (tmp_path / "weights").write_bytes(b"nothing")
    with pytest.raises(checkpoint.DamagedError, match="cannot be read as weights"):
        checkpoint.load_policy(tmp_path / "weights")
