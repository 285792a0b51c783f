import math

import numpy as np
import pytest
import torch

from pipeline.core.agents import factory
from pipeline.core.agents.sac import SoftActorCritic
from pipeline.core.agents.setting import Setting
from pipeline.core.judging import parts
from pipeline.core.judging.scoring import drawn, score
from pipeline.core.tasks.linear_quadratic.answer import LinearQuadraticAnswer
from tests.core.configs import algorithm, task
from tests.core.updating import fresh

STATES = np.array([[0.0, 0.0], [0.4, -0.3], [-1.0, 0.2]])
ALPHA = 2.0


@pytest.fixture(scope="module")
def oracle():
    wide = task("linear_quadratic").model_copy(update={"bound": 8.0})
    return LinearQuadraticAnswer(wide).oracle(ALPHA, {})


def scored(name, oracle, seeds=(0, 1), states=STATES, draws=2000):
    return of(fresh(name, seeds), oracle, seeds, states, draws)


def of(agent, oracle, seeds=(0, 1), states=STATES, draws=2000, cells=10):
    return score(drawn(agent, states, seeds, draws=draws), oracle, cells=cells)


class Exact(SoftActorCritic):
    """Draws from the closed form and has its values."""

    def __init__(self, oracle):
        configs = [algorithm("sac")] * 2
        super().__init__(configs, Setting((0, 1), 2, 2, discount=0.9))
        self.best = oracle.regulator

    def sample(self, state, noise):
        root = torch.from_numpy(np.linalg.cholesky(self.best.covariance)).float()
        mean = -state @ torch.from_numpy(self.best.gain.T).float()
        return mean + noise @ root.T

    def soft_value(self, state, noise):
        return torch.from_numpy(self.best.value(state.double().numpy())).float()


def test_the_exact_policy_has_no_distance_and_no_error(oracle):
    found = of(Exact(oracle), oracle, draws=20_000, cells=20)
    # As in the known cases of the estimators.
    for name in ("reverse_kl", "forward_kl"):
        np.testing.assert_allclose(found[name], 0.0, atol=0.004)
    np.testing.assert_allclose(found["total_variation"], 0.0, atol=0.02)
    np.testing.assert_allclose(found["value"], found["value_oracle"], rtol=1e-5)
    assert found["value_error"].max() < 1e-5


@pytest.mark.parametrize("name", ["sql", "sac", "sac_2018", "ddpg"])
def test_every_number_has_a_member_and_a_probe(name, oracle):
    found = scored(name, oracle)
    assert {values.shape for values in found.values()} == {(2, 3)}
    for values in (found["reverse_kl"], found["forward_kl"], found["total_variation"]):
        assert np.isfinite(values).all()
    # Fresh policies are far from the oracle.
    assert found["reverse_kl"].min() > 0.1


class Known(Exact):
    """Values that are wrong by known shares; remembers the noise it was given."""

    def __init__(self, oracle):
        super().__init__(oracle)
        self.noise = []

    def sample(self, state, noise):
        self.noise.append(noise)
        return super().sample(state, noise)

    def soft_value(self, state, noise):
        share = torch.tensor([[1.25], [0.5]])
        return share * super().soft_value(state, noise)


def test_the_error_of_a_value_is_a_share_of_the_oracles(oracle):
    found = of(Known(oracle), oracle, draws=100)
    expected = np.repeat([[0.25], [0.5]], len(STATES), axis=1)
    np.testing.assert_allclose(found["value_error"], expected, rtol=1e-5)  # float32


def test_draws_at_different_probes_are_independent(oracle):
    policy = Known(oracle)
    of(policy, oracle, draws=1000)
    drawn = torch.stack(policy.noise).numpy().reshape(len(STATES) * 2, -1)
    # Correlations of 2000 independent pairs have a standard error of .022.
    assert np.abs(np.corrcoef(drawn) - np.eye(len(drawn))).max() < 0.1


@pytest.mark.parametrize("name", ["sql", "sac", "ddpg"])
def test_scores_are_repeatable_and_belong_to_the_members_seed(name, oracle):
    first, again = scored(name, oracle), scored(name, oracle)
    other = scored(name, oracle, seeds=(1, 2))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
        # A batched product may round differently from member to member.
        np.testing.assert_allclose(first[key][1], other[key][0], rtol=0.02)
    assert (first["forward_kl"][0] != first["forward_kl"][1]).any()


def test_what_goes_through_the_network_together_does_not_matter(oracle, monkeypatch):
    whole = scored("sac", oracle)
    monkeypatch.setattr(parts, "AT_ONCE", 300)
    pieces = scored("sac", oracle)
    for key in whole:
        np.testing.assert_allclose(whole[key], pieces[key], rtol=0.01, atol=1e-3)


def test_a_learner_without_a_soft_value_has_none(oracle):
    found = scored("ddpg", oracle)
    assert np.isnan(found["value"]).all()
    assert np.isnan(found["value_error"]).all()
    assert np.isfinite(found["value_oracle"]).all()


class TestValue:
    def test_of_soft_q_learning_is_the_integral_of_its_own_q(self, oracle):
        agent = fresh("sql")
        found = of(agent, oracle, draws=500)
        generator = torch.Generator().manual_seed(0)
        action = 2 * torch.rand(2, 20_000, 2, generator=generator) - 1
        for probe, state in enumerate(STATES):
            at = torch.tensor(state).float().expand(2, 20_000, -1)
            weights = torch.exp(agent.q(at, action).double() / ALPHA)
            drawn = ALPHA * (weights.mean(dim=1).log() + 2 * math.log(2))
            error = ALPHA * weights.std(dim=1) / weights.mean(dim=1) / 20_000**0.5
            close = np.abs(found["value"][:, probe] - drawn.numpy())
            assert (close < 4 * error.numpy() + 1e-5).all()

    def test_of_soft_actor_critic_is_below_that_of_its_q_alone(self, oracle):
        # E[Q - α log π] = α log ∫ exp(Q/α) - α KL(π ‖ exp(Q/α)/Z) (SQL Eq. 19).
        agent = fresh("sac")
        found = of(agent, oracle, draws=5000)
        axis = (torch.arange(100) + 0.5) / 50 - 1
        plane = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
        for probe, state in enumerate(STATES):
            at = torch.tensor(state).float().expand(2, 10_000, -1)
            q = agent.q(at, plane.reshape(1, -1, 2).expand(2, -1, -1))
            highest = ALPHA * (torch.logsumexp(q / ALPHA, 1) + math.log(4 / 10_000))
            short = highest.numpy() - found["value"][:, probe]
            assert (short > 0).all()
            assert (short < ALPHA * 1.5).all()  # fresh: Q is flat, π a broad Gaussian


def test_another_temperature_is_refused(oracle):
    agent = fresh("sac_tuned")  # at .5
    with pytest.raises(ValueError, match=r"temperature 0\.5 is not to be compared"):
        of(agent, oracle, draws=100)


def test_every_member_must_have_the_oracles_temperature(oracle):
    configs = [algorithm("sql").with_temperature(alpha) for alpha in (ALPHA, 3.0)]
    mixed = factory.make(configs, (0, 1), states=2, actions=2, discount=0.9)
    with pytest.raises(ValueError, match=r"temperature 3 is not to be compared"):
        of(mixed, oracle, draws=100)
