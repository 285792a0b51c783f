"""One update of every learner against the equations, written out once more by hand.

Weights of networks and of their target networks differ, and some transitions end, so
that a wrong network, sign or mask in a target cannot hide.
"""

import math

import pytest
import torch

from pipeline.core.config.values import with_values
from pipeline.core.memory.replay import Batch
from pipeline.core.population.lattice import lattice
from pipeline.core.population.noise import Noise
from pipeline.core.population.optimizer import learnable
from tests.core import plain
from tests.core.configs import algorithm
from tests.core.updating import fresh

STATES, ACTIONS, DISCOUNT = 3, 2, 0.9
SEEDS = (0, 1)
BATCH = 8


def make(name, **values):
    config = with_values(algorithm(name), values)
    agent = fresh(config, states=STATES, actions=ACTIONS)
    generator = torch.Generator().manual_seed(3)
    for weights in agent.networks().values():
        weights.add_(0.2 * torch.randn(weights.shape, generator=generator))
    return agent


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(2, BATCH, *shape, generator=generator)

    ended = (torch.arange(2 * BATCH).view(2, BATCH) % 3 == 0).float()
    action = torch.tanh(normal(ACTIONS))
    return Batch(normal(STATES), action, normal(), normal(STATES), ended)


def perceptron(weights, inputs, *, outputs):
    """One member's network of two hidden layers of 16, on joined inputs."""
    return plain.perceptron(weights, inputs, hidden=(16, 16), outputs=outputs)


def q_of(weights, state, action):
    return perceptron(weights, torch.cat([state, action], dim=-1), outputs=1)[..., 0]


def gaussian(weights, state, noise):
    """Squashed actions and log-densities of SAC's policy."""
    mean, log_scale = perceptron(weights, state, outputs=2 * ACTIONS).chunk(2, dim=-1)
    u = mean + log_scale.exp() * noise
    log_prob = torch.distributions.Normal(mean, log_scale.exp()).log_prob(u)
    action = torch.tanh(u)
    return action, (log_prob - torch.log(1 - action**2)).sum(dim=-1)


def losses(agent, sample, *, index=0):
    """The first critic's loss, after the update that reports it."""
    agent.update(sample, index=index)
    return agent.diagnostics()["q_loss"]


def half_squared(q, target):
    return 0.5 * (q - target).square().mean(dim=-1)


def critic_loss(critics, sample, m, value):
    """Of one member, the mean over its critics."""
    target = sample.reward[m] + DISCOUNT * (1 - sample.terminated[m]) * value
    each = [q_of(weights, sample.state[m], sample.action[m]) for weights in critics]
    return torch.stack([half_squared(q, target) for q in each]).mean()


def test_soft_q_learning_bootstraps_from_the_soft_value_of_the_target_network():
    agent, sample, alpha = make("sql"), batch(), 2.0
    before = {k: v.clone() for k, v in agent.networks().items()}
    noise = Noise(SEEDS, "value particles", shape=(BATCH, 1, ACTIONS), kind="uniform")
    proposals = 2 * ((noise.at(0) + lattice(6, ACTIONS)) % 1) - 1
    expected = []
    for m in range(2):
        state_next = sample.state_next[m].unsqueeze(1).expand(-1, 6, -1)
        each = [q_of(w, state_next, proposals[m]) for w in before["q_target"][m]]
        q_next = torch.stack(each).mean(dim=0)
        mean = torch.exp(q_next / alpha).mean(dim=1) * 2**ACTIONS
        value = alpha * torch.log(mean)
        expected.append(critic_loss(before["q"][m], sample, m, value))
    torch.testing.assert_close(losses(agent, sample), torch.stack(expected))


@pytest.mark.parametrize("name", ["sac", "sac_tuned", "sac_2018"])
def test_soft_actor_critic_bootstraps_from_its_target_network(name):
    agent, sample = make(name), batch()
    before = {k: v.clone() for k, v in agent.networks().items()}
    alpha = agent.temperature.clone()
    noise = Noise(SEEDS, "policy noise", shape=(2, BATCH, ACTIONS), kind="normal").at(0)
    expected = []
    for m in range(2):
        if name == "sac_2018":
            out = perceptron(before["value_target"][m], sample.state_next[m], outputs=1)
            value = out[..., 0]
        else:
            action, log_prob = gaussian(
                before["policy"][m], sample.state_next[m], noise[m, 1]
            )
            twins = [
                q_of(w, sample.state_next[m], action) for w in before["q_target"][m]
            ]
            value = torch.minimum(*twins) - alpha[m] * log_prob
        expected.append(critic_loss(before["q"][m], sample, m, value))
    torch.testing.assert_close(losses(agent, sample), torch.stack(expected))


@pytest.mark.parametrize("name", ["sac", "sac_2018"])
def test_soft_actor_critic_descends_the_kl_to_its_smaller_critic(name):
    agent, sample, alpha = make(name), batch(), 2.0
    policy = agent.networks()["policy"].clone()
    noise = Noise(SEEDS, "policy noise", shape=(2, BATCH, ACTIONS), kind="normal").at(0)
    agent.update(sample, index=0)
    q = agent.networks()["q"]  # the policy is updated after the critics
    for m in range(2):
        action, log_prob = gaussian(policy[m], sample.state[m], noise[m, 0])
        twins = [q_of(weights, sample.state[m], action) for weights in q[m]]
        expected = (alpha * log_prob - torch.minimum(*twins)).mean()
        torch.testing.assert_close(agent.diagnostics()["policy_loss"][m], expected)
        torch.testing.assert_close(agent.diagnostics()["entropy"][m], -log_prob.mean())


def test_the_value_network_descends_to_the_soft_value_of_its_policy():
    agent, sample, alpha = make("sac_2018"), batch(), 2.0
    before = {k: v.clone() for k, v in agent.networks().items()}
    noise = Noise(SEEDS, "policy noise", shape=(2, BATCH, ACTIONS), kind="normal").at(0)
    agent.update(sample, index=0)
    after = agent.networks()
    for m in range(2):
        action, log_prob = gaussian(before["policy"][m], sample.state[m], noise[m, 0])
        twins = [q_of(weights, sample.state[m], action) for weights in after["q"][m]]
        target = torch.minimum(*twins) - alpha * log_prob
        weights = before["value"][m].clone().requires_grad_()
        value = perceptron(weights, sample.state[m], outputs=1)[..., 0]
        (gradient,) = torch.autograd.grad(half_squared(value, target), weights)
        clear = gradient.abs() > 1e-4
        # The first step of Adam has the length of its rate, whatever the gradient's.
        moved = (after["value"][m] - before["value"][m])[clear]
        expected = -1e-3 * gradient[clear].sign()
        torch.testing.assert_close(moved, expected, atol=1e-5, rtol=1e-2)


def test_ddpg_bootstraps_from_both_target_networks():
    agent, sample = make("ddpg"), batch()
    before = {k: v.clone() for k, v in agent.networks().items()}
    expected = []
    for m in range(2):
        out = perceptron(
            before["policy_target"][m], sample.state_next[m], outputs=ACTIONS
        )
        value = q_of(before["q_target"][m], sample.state_next[m], torch.tanh(out))
        expected.append(critic_loss([before["q"][m]], sample, m, value))
    torch.testing.assert_close(losses(agent, sample), torch.stack(expected))


BEST = torch.tensor([0.4, -0.3])


def bandit(index):
    """Every transition is terminal, so that Q(s, a) is the reward -4 ‖a - BEST‖²."""
    generator = torch.Generator().manual_seed(index)
    action = 2 * torch.rand(2, BATCH, ACTIONS, generator=generator) - 1
    state = torch.zeros(2, BATCH, STATES)
    reward = -4 * (action - BEST).square().sum(dim=-1)
    return Batch(state, action, reward, state, torch.ones(2, BATCH))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ddpg", {}),
        ("sac", {"temperature.fixed": 0.1}),
        ("sac_2018", {"temperature.fixed": 0.1}),
        ("sql", {"temperature.fixed": 0.1}),
    ],
)
def test_policies_find_the_best_action_of_a_bandit(name, values):
    rates = {"learning_rate.q": 3e-2, "learning_rate.policy": 1e-2}
    agent = make(name, **values, **rates)
    for index in range(250):
        agent.update(bandit(index), index=index)
    best = agent.greedy(torch.zeros(2, 1, STATES))[:, 0]
    assert (best - BEST).abs().max() < 0.2


@pytest.mark.usefixtures("unchecked")
def test_soft_actor_critics_spread_is_that_of_the_boltzmann_policy():
    # exp(-4 ‖a - b‖² / α) with α = 0.2 is N(b, α/8): standard deviation 0.158.
    rates = {"learning_rate.q": 1e-2, "learning_rate.policy": 5e-3}
    agent = make("sac", **{"temperature.fixed": 0.2}, **rates)
    for index in range(400):
        agent.update(bandit(index), index=index)
    noise = torch.randn(2, 4000, ACTIONS, generator=torch.Generator().manual_seed(0))
    actions = agent.sample(torch.zeros(2, 4000, STATES), noise)
    assert actions.std(dim=1).mean().item() == pytest.approx(0.158, rel=0.35)


def test_copied_targets_are_copied_at_every_so_many_updates():
    agent = make("ddpg")  # update_every: 5
    start = agent.networks()["q_target"].clone()
    for index in range(4):
        agent.update(batch(index), index=index)
        assert torch.equal(agent.networks()["q_target"], start)
    agent.update(batch(4), index=4)
    networks = agent.networks()
    assert torch.equal(networks["q_target"], networks["q"])
    assert torch.equal(networks["policy_target"], networks["policy"])


def test_smooth_targets_move_by_their_share():
    agent = make("sac")  # tau: 0.05
    before = agent.networks()["q_target"].clone()
    agent.update(batch(), index=0)
    after, q = agent.networks()["q_target"], agent.networks()["q"]
    torch.testing.assert_close(after, before + 0.05 * (q - before))


def test_learning_from_a_batch_leaves_no_gradient_behind():
    agent = make("sac_tuned")
    agent.update(batch(), index=0)
    assert not any(tensor.requires_grad for tensor in agent.state().values())


def test_the_natural_logarithm_of_the_box_counts_in_the_soft_value():
    # With Q = 0 the soft value is α d log 2 (see reference identities).
    agent = make("sql")
    for weights in agent.networks().values():
        weights.zero_()
    sample = batch()._replace(reward=torch.zeros(2, BATCH))
    target = DISCOUNT * (1 - sample.terminated) * 2.0 * ACTIONS * math.log(2)
    expected = 0.5 * target.square().mean(dim=1)
    torch.testing.assert_close(losses(agent, sample), expected)


def test_learnable_weights_are_the_same_memory_and_a_leaf():
    weights = torch.zeros(2, 3)
    leaf = learnable(weights)
    assert leaf.is_leaf
    assert leaf.requires_grad
    assert leaf.data_ptr() == weights.data_ptr()
