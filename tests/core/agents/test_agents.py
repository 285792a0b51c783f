"""What every learner promises; a new one gets all of it by a line in `configs`."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.core.agents import factory
from pipeline.core.config.values import with_values
from pipeline.core.memory.replay import Batch
from pipeline.core.memory.rollout import Rollout
from tests.core.configs import ALGORITHMS, Q_LEARNERS, algorithm
from tests.core.updating import fresh

STATES, ACTIONS = 3, 2


def make(name, seeds=(0, 1)):
    return fresh(name, seeds, states=STATES, actions=ACTIONS)


def batch(members, *, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(1, 8, *shape, generator=generator).repeat(
            members, *[1] * (len(shape) + 1)
        )

    ended = (normal() > 1).float()
    action = torch.tanh(normal(ACTIONS))
    return Batch(normal(STATES), action, normal(), normal(STATES), ended)


def experience(name, members, *, seed=0):
    """What the learner learns from, the same for every member."""
    made = batch(members, seed=seed)
    if name in Q_LEARNERS:
        return made
    cut = 1 - made.terminated
    cut[:, ::2] = 0
    return Rollout(made.state, made.reward, made.state_next, made.terminated, cut)


def weights(agent):
    return {name: tensor.clone() for name, tensor in agent.networks().items()}


@pytest.mark.parametrize("name", ALGORITHMS)
class TestEveryAgent:
    def test_actions_are_in_the_box(self, name):
        agent = make(name)
        generator = torch.Generator().manual_seed(0)
        state = 100 * torch.randn(2, 50, STATES, generator=generator)
        noise = torch.randn(2, 50, ACTIONS, generator=generator)
        starting = torch.tensor([True, False])
        for action in (
            agent.act(state[:, 0], step=0, starting=starting)[:, None],
            agent.sample(state, noise),
            agent.greedy(state),
        ):
            assert action.shape[-1] == ACTIONS
            assert action.abs().max() <= 1

    def test_an_update_learns_something_and_stays_finite(self, name):
        agent = make(name)
        before = weights(agent)
        for index in range(25):  # target networks follow by then
            agent.update(experience(name, 2), index=index)
        after = weights(agent)
        for network, values in before.items():
            assert not torch.equal(values, after[network]), network
        for values in (*after.values(), *agent.diagnostics().values()):
            assert values.isfinite().all()
        assert all(v.shape == (2,) for v in agent.diagnostics().values())

    def test_a_member_learns_the_same_in_any_company(self, name):
        pair, three = make(name, (5, 6)), make(name, (4, 6, 5))
        for index in range(3):
            pair.update(experience(name, 2), index=index)
            three.update(experience(name, 3), index=index)
        for key, tensor in pair.networks().items():
            torch.testing.assert_close(
                tensor[0], three.networks()[key][2], atol=1e-5, rtol=1e-4
            )

    def test_it_continues_from_its_state(self, name):
        agent, copy = make(name), make(name, (8, 9))
        state = batch(2).state[:, 0]
        starting = torch.tensor([False, False])
        agent.update(experience(name, 2), index=0)
        agent.act(state, step=0, starting=starting)
        copy.load_state({k: v.clone() for k, v in agent.state().items()})
        again = make(name)
        again.load_state({k: v.clone() for k, v in copy.state().items()})
        for learner in (agent, again):
            learner.update(experience(name, 2, seed=1), index=1)
        for key, value in agent.state().items():
            assert torch.equal(value, again.state()[key]), key
        assert torch.equal(
            agent.act(state, step=1, starting=starting),
            again.act(state, step=1, starting=starting),
        )

    def test_members_are_an_axis_and_not_a_loop(self, name):
        assert dispatches(name, members=2) == dispatches(name, members=8)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", Q_LEARNERS)
def test_the_critic_fits_a_bandit(name):
    # All transitions are terminal, so Q(s, a) is the reward: r = a₁.
    agent = make(name)
    for index in range(200):
        sample = batch(2, seed=index)
        sample = sample._replace(
            reward=sample.action[..., 0], terminated=torch.ones(2, 8)
        )
        agent.update(sample, index=index)
    test = batch(2, seed=999)
    error = agent.q(test.state, test.action) - test.action[..., 0]
    assert error.square().mean() < 0.3 * test.action[..., 0].var()


def dispatches(name, *, members):
    """Torch operations of one update, after a first that fills caches."""
    agent = make(name, tuple(range(members)))
    agent.update(experience(name, members), index=0)
    with Counter() as counter:
        agent.update(experience(name, members), index=1)
    return counter.count


class Counter(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def test_members_may_differ_in_temperature_and_rates():
    config = algorithm("sql")
    hot = with_values(config, {"temperature.fixed": 9.0, "learning_rate.q": 1e-2})
    pair = factory.make([config, hot], [3, 3], states=3, actions=2, discount=0.9)
    alone = factory.make([hot], [3], states=3, actions=2, discount=0.9)
    assert pair.temperature.tolist() == [2.0, 9.0]
    for index in range(3):
        pair.update(batch(2), index=index)
        alone.update(batch(1), index=index)
    state, action = batch(2).state, batch(2).action
    q = pair.q(state, action)
    assert not torch.allclose(q[0], q[1])
    torch.testing.assert_close(
        q[1], alone.q(state[:1], action[:1])[0], atol=1e-5, rtol=1e-4
    )


def test_members_may_not_differ_in_anything_else():
    first = algorithm("sql")
    other = first.model_copy(update={"batch": 9})
    with pytest.raises(ValueError, match=r"may differ only in learning_rate\.q"):
        factory.make([first, other], [0, 1], states=3, actions=2, discount=0.9)


@pytest.mark.usefixtures("unchecked")
def test_tuned_temperature_moves_towards_the_target_entropy():
    agent = make("sac_tuned")
    for index in range(50):
        agent.update(batch(2), index=index)
    entropy = agent.diagnostics()["entropy"]
    fell = agent.temperature < 0.5
    assert (fell == (entropy > -ACTIONS)).all()


def test_ornstein_uhlenbeck_noise_starts_at_zero_in_every_episode():
    agent = make("ddpg")
    state = torch.zeros(2, STATES)
    still = torch.tensor([False, False])
    for step in range(5):
        agent.act(state, step=step, starting=still)
    moved = agent.exploration_state()["disturbance"].clone()
    agent.act(state, step=5, starting=torch.tensor([True, False]))
    after = agent.exploration_state()["disturbance"]
    fresh = make("ddpg")
    fresh.act(state, step=5, starting=torch.tensor([True, True]))
    assert torch.equal(after[0], fresh.exploration_state()["disturbance"][0])
    assert not torch.equal(after[1], fresh.exploration_state()["disturbance"][1])
    assert moved.abs().min() > 0


def test_greedy_soft_q_learning_is_at_least_as_good_as_its_samples():
    agent = make("sql")
    for index in range(20):
        agent.update(batch(2), index=index)
    state = batch(2).state
    noise = torch.randn(2, 8, ACTIONS, generator=torch.Generator().manual_seed(0))
    best = agent.q(state, agent.greedy(state))
    assert (
        best >= agent.q(state, agent.sample(state, noise)) - 1e-3
    ).float().mean() > 0.8
