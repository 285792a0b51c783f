"""Updates of SAC and DDPG are stable-baselines3's, from equal weights and batches.

Weights, target networks and log α are compared after each of a few updates, in double
precision, so that moments of Adam count as well. Two constants differ:

- stable-baselines3 adds 10⁻⁶ to 1 - a² in the log-density of a squashed action, which
  here is exact;
- DDPG's critic loss is the mean squared error there and half of it here, a factor of
  the gradient that Adam divides out, but for its ε of 10⁻⁸.

Fresh weights are not compared: there, weights and biases are uniform within 1/√inputs;
here, weights are as Glorot has them and biases 0.
"""

import itertools

import pytest
import torch
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch import nn

from benchmarks.peer import peer_learner
from pipeline.core.config.values import with_values
from pipeline.core.memory.replay import Batch
from pipeline.core.population.noise import Noise
from tests.core.configs import algorithm
from tests.core.updating import fresh

STATES, ACTIONS, DISCOUNT = 8, 2, 0.9  # states and actions of Swimmer-v5
SEED, BATCH, UPDATES, RATE = 4, 8, 5, 1e-3
RATES = {"learning_rate.q": RATE, "learning_rate.policy": RATE}
CASES = pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("sac", "sac", {"ent_coef": 2.0}),
        ("sac_tuned", "sac", {"ent_coef": "auto_0.5", "target_entropy": -2.0}),
        ("ddpg_gaussian", "ddpg", {}),
    ],
)


@pytest.fixture(autouse=True)
def double_precision(monkeypatch):
    torch.set_default_dtype(torch.float64)
    # It would make every observation single.
    name = "stable_baselines3.common.policies.preprocess_obs"
    monkeypatch.setattr(name, lambda observation, *_, **__: observation)
    yield
    torch.set_default_dtype(torch.float32)


def batch(index):
    generator = torch.Generator().manual_seed(index)

    def normal(*shape):
        return torch.randn(1, BATCH, *shape, generator=generator)

    ended = (torch.arange(BATCH) % 3 == 0).double()[None]
    action = torch.tanh(normal(ACTIONS))
    return Batch(normal(STATES), action, normal(), normal(STATES), ended)


def as_theirs(sample):
    state, action, reward, state_next, ended = (part[0] for part in sample[:5])
    column = ended[:, None], reward[:, None]
    return ReplayBufferSamples(state, action, state_next, *column)


def row(network, *, heads=1):
    """A network in our order: matrices, then biases; heads are one last layer."""
    layers = [part for part in network.modules() if isinstance(part, nn.Linear)]
    matrices = [layer.weight.T for layer in layers]
    biases = [layer.bias for layer in layers]
    last = torch.cat(matrices[-heads:], dim=1)
    parts = [*matrices[:-heads], last, *biases]
    return torch.cat([part.detach().flatten() for part in parts])


def networks(model):
    """Those of stable-baselines3 as `Agent.networks` names and arranges them."""
    policy = model.policy
    found = {}
    for suffix in ("", "_target"):
        critics = getattr(policy, f"critic{suffix}").q_networks
        rows = [row(critic) for critic in critics]
        found[f"q{suffix}"] = torch.stack(rows) if len(rows) > 1 else rows[0]
    if hasattr(policy, "actor_target"):
        found["policy"] = row(policy.actor)
        found["policy_target"] = row(policy.actor_target)
    else:
        found["policy"] = row(policy.actor, heads=2)
    if getattr(model, "log_ent_coef", None) is not None:
        found["log_temperature"] = model.log_ent_coef.detach()
    return found


def peer(kind, **settings):
    """A learner of stable-baselines3 whose target networks are not its networks."""
    model = peer_learner(
        "stable_baselines3",
        kind,
        "Swimmer-v5",
        width=16,
        learning_rate=RATE,
        buffer_size=1,
        tau=0.05,
        gamma=DISCOUNT,
        **settings,
    )
    generator = torch.Generator().manual_seed(3)
    for weights in model.policy.parameters():
        weights.data = 0.3 * torch.randn(weights.shape, generator=generator)
    model.set_logger(Logger(None, []))
    return model


def equal_weights(name, model):
    """Our learner, with the weights of theirs."""
    values = {"temperature.learning_rate": RATE} if name == "sac_tuned" else {}
    config = with_values(algorithm(name), RATES | values)
    agent = fresh(config, [SEED], states=STATES, actions=ACTIONS)
    for part, weights in networks(model).items():
        agent.networks()[part][0].copy_(weights)
    return agent


def draw_equally(monkeypatch):
    """Let stable-baselines3 draw the actions that ours draw."""
    shape = 2, BATCH, ACTIONS
    noise = Noise([SEED], "policy noise", shape=shape, kind="normal")
    drawn = (each for index in itertools.count() for each in noise.at(index)[0])

    def rsample(self):
        return self.loc + self.scale * next(drawn)

    monkeypatch.setattr(torch.distributions.Normal, "rsample", rsample)


def assert_equal_updates(monkeypatch, name, model, *, tolerance):
    agent = equal_weights(name, model)
    draw_equally(monkeypatch)
    before = {part: weights.clone() for part, weights in agent.networks().items()}
    assert before.keys() == networks(model).keys()
    for index in range(UPDATES):
        sample = batch(index)
        monkeypatch.setattr(
            model.replay_buffer, "sample", lambda *_, s=sample, **__: as_theirs(s)
        )
        model.train(gradient_steps=1, batch_size=BATCH)
        agent.update(sample, index=index)
        for part, weights in networks(model).items():
            ours = agent.networks()[part][0]
            torch.testing.assert_close(ours, weights, rtol=0.0, atol=tolerance)
    for part, weights in before.items():
        assert (agent.networks()[part] - weights).abs().max() > 1e-3


@CASES
def test_updates_are_those_of_stable_baselines3(monkeypatch, name, kind, settings):
    model = peer(kind, **settings)
    assert_equal_updates(monkeypatch, name, model, tolerance=1e-5)


@CASES
def test_nothing_but_two_small_constants_differs(monkeypatch, name, kind, settings):
    model = peer(kind, **settings)
    if kind == "sac":
        model.actor.action_dist.epsilon = 0.0
    else:  # twice the loss with twice the ε is the same step
        model.critic.optimizer.param_groups[0]["eps"] *= 2
    assert_equal_updates(monkeypatch, name, model, tolerance=1e-12)
