"""REINFORCE: one update by hand, and that it learns."""

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from pipeline.core.agents import factory
from pipeline.core.agents.gaussian import SquashedGaussian
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.values import sweepable, with_values
from pipeline.core.job import Job
from pipeline.core.memory.rollout import Rollout
from pipeline.core.population.networks import Mlp
from pipeline.core.population.noise import Noise
from pipeline.core.tasks.settings import Task
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
from tests.core.configs import ALGORITHMS, TASKS, algorithm, task
from tests.core.training.test_training import trained
from tests.core.updating import fresh

STATES, ACTIONS, TIME, DISCOUNT, ALPHA = 3, 2, 8, 0.9, 0.5
SEEDS = (0, 1)
SETTING = Setting(SEEDS, STATES, ACTIONS, discount=0.9)


def make(name, **values):
    config = with_values(algorithm(name), values)
    return fresh(config, states=STATES, actions=ACTIONS)


def rollout(seed=0):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(2, TIME, *shape, generator=generator)

    terminated = torch.zeros(2, TIME)
    truncated = torch.zeros(2, TIME)
    terminated[:, 2] = truncated[:, 5] = 1.0
    return Rollout(normal(STATES), normal(), normal(STATES), terminated, truncated)


def noise_of(index):
    """What `act` draws in the steps before an update."""
    exploration = Noise(SEEDS, "exploration", shape=(ACTIONS,), kind="normal")
    steps = range(index * TIME, (index + 1) * TIME)
    return torch.stack([exploration.at(step) for step in steps], dim=1)


def densities(weights, state, noise):
    """Actions and log-densities by PyTorch's own distributions, one member."""
    policy = SquashedGaussian.of(SETTING, (16, 16))
    out = policy.network(weights[None], state[None, :, None])[0, :, 0]
    mean, log_scale = out.chunk(2, dim=-1)
    normal = torch.distributions.Normal(mean, log_scale.exp())
    u = (mean + log_scale.exp() * noise).detach()
    squash = torch.distributions.TransformedDistribution(
        normal, torch.distributions.TanhTransform(cache_size=1)
    )
    action = squash.transforms[0](u)
    return action, squash.log_prob(action).sum(dim=-1)


@pytest.mark.parametrize("name", ["reinforce", "reinforce_plain"])
def test_an_update_follows_the_score_times_the_credit(name, monkeypatch):
    agent, sample, index = make(name), rollout(), 3
    before = {k: v.clone() for k, v in agent.networks().items()}
    followed = {}
    for key, adam in agent.optimizers().items():
        monkeypatch.setattr(adam, "step", lambda g, key=key: followed.update({key: g}))
    agent.update(sample, index=index)
    noise = noise_of(index)
    for m in range(2):
        weights = before["policy"][m].clone().requires_grad_()
        action, log_prob = densities(weights, sample.state[m], noise[m])
        acted = [
            agent.sample(sample.state[:, t : t + 1], noise[:, t : t + 1])[m, 0]
            for t in range(TIME)
        ]
        torch.testing.assert_close(action, torch.stack(acted))  # what `act` would do
        soft = sample.reward[m] - ALPHA * log_prob.detach()
        credit = torch.zeros(TIME)
        for t in range(TIME):
            factor = 1.0
            for k in range(t, TIME):
                credit[t] += factor * soft[k]
                factor *= DISCOUNT
                if k == 2:  # over
                    break
                if k in (5, TIME - 1):  # cut
                    credit[t] += factor * value(before, m, sample.state_next[m, k])
                    break
            credit[t] -= value(before, m, sample.state[m, t])
            if name == "reinforce_plain":  # credit: whole_return
                start = max(s for s in (0, 3, 6) if s <= t)
                credit[t] += soft[start:t].sum()
        (gradient,) = torch.autograd.grad(-(credit * log_prob).mean(), weights)
        torch.testing.assert_close(
            followed["policy"][m], gradient, atol=1e-5, rtol=1e-4
        )


def value(networks, member, state):
    """V of one state; 0 for a learner without a value network."""
    if "value" not in networks:
        return 0.0
    network = Mlp((STATES,), (16, 16), 1)
    return network(networks["value"][member, None], state[None, None, None]).item()


def test_the_score_of_a_drawn_action_is_not_differentiated_through_its_draw():
    policy = SquashedGaussian.of(SETTING, (4,))
    weights = policy.network.glorot(SEEDS, "policy").requires_grad_()
    noise = torch.randn(2, 5, ACTIONS, generator=torch.Generator().manual_seed(0))
    _, drawn = policy.draw(weights, rollout().state[:, :5], noise)
    known = policy.log_prob_of_drawn(weights, rollout().state[:, :5], noise)
    torch.testing.assert_close(drawn, known)
    (through,) = torch.autograd.grad(drawn.sum(), weights)
    (score,) = torch.autograd.grad(known.sum(), weights)
    assert (through - score).abs().max() > 0.1


def test_an_action_that_the_squashing_rounds_to_one_still_has_a_score():
    policy = SquashedGaussian.of(SETTING, (4,))
    weights = torch.zeros(1, policy.network.size)
    weights[:, -2 * ACTIONS : -ACTIONS] = 20.0  # μ = 20, σ = 1
    leaf = weights.clone().requires_grad_()
    noise = torch.full((1, 1, ACTIONS), 0.5)
    action, _ = policy.draw(weights, torch.zeros(1, 1, STATES), noise)
    assert (action == 1).all()
    log_prob = policy.log_prob_of_drawn(leaf, torch.zeros(1, 1, STATES), noise)
    (score,) = torch.autograd.grad(log_prob.sum(), leaf)
    # ∂ log N(u; μ, 1) / ∂μ = ε; u = 20.5 has an ulp of 2e-6.
    torch.testing.assert_close(
        score[0, -2 * ACTIONS : -ACTIONS], noise[0, 0], atol=1e-5, rtol=0
    )


@pytest.mark.usefixtures("unchecked")
def test_the_value_network_fits_the_soft_returns():
    agent = make("reinforce", **{"baseline.value_network.learning_rate": 2e-2})
    losses = []
    for index in range(150):
        # Every step is the last one: the soft return is r - α log π, around 1.
        sample = rollout(index)._replace(
            reward=torch.ones(2, TIME), terminated=torch.ones(2, TIME)
        )
        agent.update(sample, index=index)
        losses.append(agent.diagnostics()["value_loss"])
    assert (torch.stack(losses[-20:]).mean(dim=0) < 0.6 * losses[0]).all()


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ["reinforce", "reinforce_plain"])
def test_the_policy_finds_the_best_action_of_a_bandit(name):
    best = torch.tensor([0.4, -0.3])
    agent = make(name, **{"temperature.fixed": 0.05, "learning_rate": 2e-2})
    state, none = torch.zeros(2, TIME, STATES), torch.zeros(2, TIME)
    for index in range(400):
        acted = agent.sample(state, noise_of(index))
        reward = -4 * (acted - best).square().sum(dim=-1)
        agent.update(Rollout(state, reward, state, none + 1, none), index=index)
    assert (agent.greedy(state)[:, 0] - best).abs().max() < 0.15


class TestTraining:
    def job(self, name, *, steps):
        return Job(task("pendulum"), (algorithm(name),) * 2, SEEDS, steps)

    def test_it_learns_once_from_each_full_rollout(self):
        training = trained(self.job("reinforce", steps=21))  # rollouts of 8
        state, values = training.state()
        assert values["progress"]["updates"] == 2
        assert int(state["agent/policy.adam.count"]) == 2
        assert int(state["agent/value.adam.count"]) == 2 * 4
        assert state["experience/block"].shape[1] == 21 - 2 * 8

    def test_it_remembers_which_steps_a_time_limit_cut(self):
        training = trained(self.job("reinforce", steps=31))  # episodes of 25
        block = training.state()[0]["experience/block"]  # steps 24 to 30
        assert block[..., -1].tolist() == [[1.0] + [0.0] * 6] * 2
        assert block[..., -2].sum() == 0

    def test_the_exact_noise_of_the_steps_is_used_by_the_update(self):
        # An on-policy learner sees its own actions: the ratio of densities is 1.
        training = Training(self.job("reinforce_plain", steps=16))
        agent, seen = training.agent, []
        update = agent.update

        def spy(rollout, *, index):
            steps = range(index * 8, (index + 1) * 8)
            own = torch.stack([agent._exploration.at(t) for t in steps], dim=1)
            seen.append((agent.sample(rollout.state, own), list(acted)))
            acted.clear()
            update(rollout, index=index)

        acted = []
        act = agent.act
        agent.update = spy
        agent.act = lambda *args, **kw: acted.append(act(*args, **kw)) or acted[-1]
        list(training)
        assert len(seen) == 2
        for again, did in seen:
            torch.testing.assert_close(again, torch.stack(did, dim=1))


class TestSettings:
    def test_nothing_of_a_replay_is_asked_for(self):
        config = algorithm("reinforce")
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            type(config).model_validate(ALGORITHMS["reinforce"] | {"replay": 60})
        assert sweepable(config) == [
            "temperature.fixed",
            "learning_rate",
            "baseline.value_network.learning_rate",
        ]
        assert config.with_temperature(3.0).temperature.fixed == 3.0

    def test_members_differ_in_their_own_numbers(self):
        config = algorithm("reinforce")
        fast = with_values(config, {"baseline.value_network.learning_rate": 0.1})
        sizes = {"states": STATES, "actions": ACTIONS, "discount": DISCOUNT}
        pair = factory.make([config, fast], [3, 3], **sizes)
        alone = factory.make([fast], [3], **sizes)
        sample = rollout()
        both = Rollout(*(x[:1].repeat(2, *[1] * (x.dim() - 1)) for x in sample))
        pair.update(both, index=0)
        alone.update(Rollout(*(x[:1] for x in sample)), index=0)
        values = pair.networks()["value"]
        assert not torch.allclose(values[0], values[1], atol=1e-2)
        torch.testing.assert_close(
            values[1], alone.networks()["value"][0], atol=1e-4, rtol=0
        )


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_it_learns_to_balance_a_pendulum():
    judged = {"every": 5000, "episodes": 10, "final_episodes": 10, "policy": "greedy"}
    pendulum = TypeAdapter(Task).validate_python(
        TASKS["pendulum"]
        | {"id": "InvertedPendulum-v5", "discount": 0.99, "evaluation": judged}
        | {"horizon": None}
    )
    changes = {"hidden": (32, 32), "temperature": {"fixed": 1.0}}
    changes |= {"learning_rate": 1e-2, "steps_per_update": 200}
    changes |= {"baseline": {"value_network": {"learning_rate": 1e-2, "steps": 10}}}
    config = TypeAdapter(Algorithm).validate_python(ALGORITHMS["reinforce"] | changes)
    training = Training(Job(pendulum, (config,) * 6, tuple(range(6)), steps=5000))
    first, *_ = list(training)
    before = np.median(first.metrics["evaluation/return"])
    after = np.median(finish(training).final["return"])
    # Measured: 19 and 134. Other sixes of seeds had 2.5 times as much at least.
    assert after > 2 * before
