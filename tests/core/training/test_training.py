import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from pipeline.core.config.computation import Computation
from pipeline.core.job import Job
from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.multigoal.arena import GOAL_RADIUS
from pipeline.core.training import checkpoint
from pipeline.core.training import weights as stored
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
from pipeline.core.training.weights import policy_bytes
from pipeline.study.store.files import atomic_write
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
    list(training)
    return training


def interrupted(work, path, *, after):
    """The training in two parts, of which the first ends with that many records."""
    first = Training(work)
    list(islice(first, after))
    checkpoint.save(path, first, atomic_write)
    second = Training(work)
    checkpoint.restore(path, second)
    list(second)
    return second


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_training_continues_from_a_checkpoint_to_the_same_bits(name, tmp_path):
    # Step 37 is within a rollout and an episode; before and after it networks are
    # copied, and after it the replay is full.
    judged = task("multigoal").evaluation.model_copy(update={"every": 37})
    where = task("multigoal").model_copy(update={"evaluation": judged})
    work = replace(job(name, steps=70), task=where)
    whole = trained(work)
    continued = interrupted(work, tmp_path / "state", after=2)
    assert_same(whole, continued)
    np.testing.assert_equal(finish(whole).final, finish(continued).final)
    assert "steps_to_all_goals" in finish(whole).final


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_runs_where_its_tensors_are_on_a_device(name):
    # The CPU under another name, so that noise is drawn as on a GPU.
    device = Computation.model_construct(
        device="cpu:0", precision="float32", compile="never"
    )
    there = trained(replace(job(name, steps=25), computation=device))
    here = trained(job(name, steps=25))
    assert finish(there).final.keys() == finish(here).final.keys()
    weights = there.agent.networks()["policy"]
    assert torch.isfinite(weights).all()
    assert not torch.equal(weights, here.agent.networks()["policy"])


@pytest.mark.parametrize("where", TASKS)
def test_every_task_can_be_trained_on_and_continued(where, tmp_path):
    work = job("ddpg", where, steps=65)
    whole = trained(work)
    assert_same(whole, interrupted(work, tmp_path / "state", after=2))
    final = finish(whole).final
    final.pop("steps_to_all_goals", None)  # may be never
    assert all(math.isfinite(x) for values in final.values() for x in values)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ["sql", "sql_copied", "sac", "ddpg", "reinforce"])
def test_what_a_member_learns_does_not_depend_on_the_company(name):
    # Up to rounding: a batched product of 2 and of 3 may round differently.
    pair, three = (trained(job(name, seeds=s, steps=60)) for s in ((0, 1), (2, 1, 0)))
    ours, theirs = pair.records[-1].metrics, three.records[-1].metrics
    learned = "train/value" if name == "reinforce" else "train/q"
    for metric in (learned, "evaluation/return"):
        assert ours[metric][0] == pytest.approx(theirs[metric][2], rel=1e-3)
        assert ours[metric][1] == pytest.approx(theirs[metric][1], rel=1e-3)


@pytest.mark.usefixtures("unchecked")
def test_records_come_at_evaluations_and_at_the_end():
    records = trained(job(steps=110)).records
    assert [record.step for record in records] == [0, 40, 80, 100, 110]
    judged = ["evaluation/return" in record.metrics for record in records]
    assert judged == [True, True, True, False, True]
    assert all(len(v) == 2 for r in records for v in r.metrics.values())


def test_no_learning_before_the_warmup_is_over():
    training = Training(job(steps=10))
    before = tensors(training)
    list(training)
    after = tensors(training)
    assert torch.equal(before["agent/q"], after["agent/q"])
    assert int(after["experience/added"]) == 10


def test_truncation_is_not_stored_as_an_end():
    # A pendulum never ends; after 60 steps it has been cut twice.
    training = trained(job("ddpg", "pendulum", steps=60))
    terminated = training.state()[0]["experience/block"][..., -1]
    assert terminated.sum() == 0


@pytest.mark.usefixtures("unchecked")
def test_an_end_is_stored_with_the_state_in_which_it_happened():
    far, much = {"horizon": 60}, {"replay": 2000, "warmup": 1500}
    work = Job(
        task("multigoal").model_copy(update=far),
        (algorithm("ddpg").model_copy(update=much),) * 2,
        (0, 1),
        steps=1500,
    )
    training = trained(work)
    block = training.state()[0]["experience/block"].numpy()
    where, reward, terminated = block[..., 5:7], block[..., 4], block[..., -1]
    goals = np.array(work.task.goals)
    inside = distances(where, goals).min(axis=-1) < GOAL_RADIUS
    np.testing.assert_array_equal(terminated == 1, inside)
    assert terminated.sum() > 0
    assert reward[inside].max() <= 10


def test_warmup_fills_the_box_evenly():
    training = trained(job(where="pendulum", steps=10, seeds=tuple(range(40))))
    actions = training.state()[0]["experience/block"][..., 3]  # three numbers of state
    assert actions.abs().max() <= 1
    # The mean of 400 uniform numbers has a standard error of 0.029.
    assert abs(actions.mean().item()) < 0.12
    assert actions.std().item() == pytest.approx(3**-0.5, abs=0.05)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("stop", [1, 2])
def test_it_continues_from_within_warmup_and_from_pretrained_weights(stop, tmp_path):
    write_weights(tmp_path / "weights", trained(job("ddpg", steps=40)))
    start = stored.pretrained(tmp_path / "weights", (0, 1))
    work = replace(job("ddpg", steps=60), start=start)
    # After one record, of step 0, it is within warmup.
    assert_same(trained(work), interrupted(work, tmp_path / "state", after=stop))


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


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_one_call_rebuilds_the_policy(name, tmp_path):
    training = trained(job(name, steps=40))
    content = write_weights(tmp_path / "weights", training)
    assert content == write_weights(tmp_path / "again", training)
    agent = stored.load_policy(tmp_path / "weights")
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(2, 5, 2, generator=generator)
    noise = torch.randn(2, 5, 2, generator=generator)
    assert torch.equal(agent.sample(state, noise), training.agent.sample(state, noise))
    assert torch.equal(agent.greedy(state), training.agent.greedy(state))
    for network, weights in training.agent.networks().items():
        assert torch.equal(agent.networks()[network], weights), network


@pytest.mark.usefixtures("unchecked")
def test_however_short_a_run_its_policy_is_judged_and_kept_with_one_vector(tmp_path):
    training = trained(job("sql_copied", steps=12))  # two updates, eight vectors
    write_weights(tmp_path / "weights", training)
    state = torch.ones(2, 20, 2)
    noise = torch.randn(2, 20, 2, generator=torch.Generator().manual_seed(0))
    for agent in (training.agent, stored.load_policy(tmp_path / "weights")):
        for actions in agent.sample(state, noise):
            assert len(actions.unique(dim=0)) == 1


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("learner", ["sql_copied", "sac", "ddpg"])
def test_finetuning_may_learn_from_the_second_step_on(learner, tmp_path):
    write_weights(tmp_path / "weights", trained(job(learner, steps=40)))
    start = stored.pretrained(tmp_path / "weights", (0, 1))
    own = algorithm(learner).model_copy(update={"warmup": 1, "batch": 64})
    work = replace(job(learner, steps=2, start=start), algorithms=(own,) * 2)
    learned = trained(work).agent.networks()["q"]
    assert torch.isfinite(learned).all()
    assert not torch.equal(learned, torch.from_numpy(start["q"]))


@pytest.mark.parametrize("learner", ["sac_2018", "reinforce"])
def test_finetuning_starts_from_the_networks_of_the_same_seed(learner, tmp_path):
    pretrained = trained(job(learner, steps=40, seeds=(0, 1, 2)))
    write_weights(tmp_path / "weights", pretrained)
    start = stored.pretrained(tmp_path / "weights", (2, 0))
    started = Training(job(learner, seeds=(2, 0), start=start))
    source, copy = pretrained.agent.networks(), started.agent.networks()
    for name in source.keys() - {"value_target"}:
        assert torch.equal(copy[name], source[name][[2, 0]]), name
    if learner == "sac_2018":
        assert torch.equal(copy["value_target"], copy["value"])  # not a stale one


def test_finetuning_starts_with_the_temperature_it_is_given(tmp_path):
    pretrained = trained(job("sac_tuned", steps=20))
    write_weights(tmp_path / "weights", pretrained)
    assert (pretrained.agent.temperature != 0.5).all()
    start = stored.pretrained(tmp_path / "weights", (0, 1))
    started = Training(job("sac_tuned", start=start))
    assert started.agent.temperature.tolist() == [0.5, 0.5]


def test_a_pretrained_policy_acts_from_the_first_step(tmp_path):
    write_weights(tmp_path / "weights", trained(job("ddpg_gaussian", steps=40)))
    start = stored.pretrained(tmp_path / "weights", (0, 1))
    started = Training(job("ddpg_gaussian", start=start))
    started._advance()
    row = started.state()[0]["experience/block"][:, 0]
    policy = stored.load_policy(tmp_path / "weights")
    expected = policy.greedy(row[:, None, :2])[:, 0]
    assert (row[:, 2:4] - expected).abs().max() < 0.6  # noise of σ = 0.1


def test_weights_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "weights"
    write_weights(path, trained(job("sac", steps=20)))
    with pytest.raises(stored.WrongStartError, match=r"seeds \[0, 1\], but not \[7\]"):
        stored.pretrained(path, (0, 7))
    with pytest.raises(stored.WrongStartError, match="no 'policy' of shape"):
        Training(job("ddpg", start=stored.pretrained(path, (0, 1))))
    write_weights(path, trained(job("reinforce_plain", steps=20)))
    with pytest.raises(stored.WrongStartError, match="has no 'value' of shape"):
        Training(job("reinforce", start=stored.pretrained(path, (0, 1))))


def test_damaged_files_are_not_read_as_good(tmp_path):
    training = Training(job())
    checkpoint.save(tmp_path / "state", training, atomic_write)
    whole = (tmp_path / "state").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content in (flipped, whole[:-1], whole[:20], b""):
        (tmp_path / "state").write_bytes(content)
        with pytest.raises(stored.DamagedError, match="is not what was written"):
            checkpoint.restore(tmp_path / "state", training)
    (tmp_path / "weights").write_bytes(b"nothing")
    with pytest.raises(stored.DamagedError, match="cannot be read as weights"):
        stored.load_policy(tmp_path / "weights")
