"""Actions from which soft values are estimated, beside integrals that are known."""

import math

import numpy as np
import pytest
import torch
from scipy.special import erf
from torch.distributions import Normal

from pipeline.core.agents.proposals import Proposals
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.stein import NEARLY_UNIFORM
from pipeline.core.equations import soft
from pipeline.core.exact.distance import quadrature
from tests.core.agents.test_sampler import TEMPERATURE, fit, sampler
from tests.core.configs import ALGORITHMS, algorithm
from tests.core.updating import fresh

STATES = 400


def log_integrals(energy, points, learned, *, actions, count=50):
    """Estimates of log ∫ exp(energy) da, from so many actions each."""
    changes = {"value_points": points, "value_particles": count, "batch": STATES}
    config = Sql.model_validate(ALGORITHMS["sql"] | changes)
    setting = Setting((0,), states=1, actions=actions, discount=0.9)
    proposals = Proposals(config, setting, learned)
    state, shifts = torch.zeros(1, STATES, 1), proposals.shifts.at(0)
    drawn, log_density = proposals.actions(state, shifts)
    return soft.soft_value(energy(drawn), log_density, torch.ones(1, 1))[0]


@pytest.mark.parametrize("actions", [2, 6])
def test_draws_with_the_density_of_exp_q_know_its_integral_from_one(actions):
    # Q/α = 3 + log p(a) of a = tanh(c ξ + b): every weight is e³.
    learned = sampler([0], actions=actions)
    shift = torch.linspace(-0.5, 0.7, actions)
    learned.weights[:, -actions:] = shift

    def energy(action):
        gaussian = Normal(shift, NEARLY_UNIFORM).log_prob(torch.atanh(action))
        return 3 + (gaussian - torch.log(1 - action.square())).sum(dim=-1)

    found = log_integrals(energy, "policy", learned, actions=actions, count=1)
    middle = torch.arange(STATES) % 7 > 0  # atanh loses digits of the far ones
    assert (found[middle] - 3).abs().median() < 1e-4
    assert (found - 3).abs().quantile(0.95) < 1e-2


MEAN = torch.tensor([0.5, -0.3, 0.0, 0.4, -0.5, 0.2])


def quadratic(action):
    """Q/α = -8 ‖a - m‖²: a Gaussian, a quarter wide along each axis."""
    return -8 * (action - MEAN).square().sum(dim=-1)


def exact_quadratic():
    reach = math.sqrt(8) * np.outer([1, -1], MEAN)
    sides = erf(math.sqrt(8) - reach[0]) + erf(math.sqrt(8) - reach[1])
    return np.log(math.sqrt(math.pi / 8) / 2 * sides).sum()


@pytest.mark.usefixtures("unchecked")
def test_in_six_dimensions_the_policys_are_right_where_uniform_ones_are_not():
    learned = sampler([0], actions=6)
    fit(learned, lambda a: TEMPERATURE * quadratic(a), members=1, updates=150)
    error = {
        points: log_integrals(quadratic, points, learned, actions=6) - exact_quadratic()
        for points in ("random", "lattice", "policy")
    }
    assert error["random"].mean() < -0.9  # by -1.09, and each varies by 1.6
    assert error["lattice"].mean() < -0.6
    assert error["policy"].mean().abs() < 0.2
    assert error["policy"].std() < 0.5 * error["lattice"].std()


def test_where_the_map_folds_each_sheet_counts():
    """a₁ = tanh |c ξ₁|: two sheets on the right, none on the left."""
    folded = sampler([0], actions=1)
    (first, second), sizes = folded._network.hidden, folded._network.shapes
    noise, between, last = torch.split(
        folded.weights[0, sizes[0][0] * first :],
        [first, first * second, folded.weights.shape[1] - first * (2 + second)],
    )
    folded.weights.zero_()
    noise[0], between[0], last[0] = -1.0, 1.0, 2 * NEARLY_UNIFORM
    found = log_integrals(lambda a: 5 * a[..., 0], "policy", folded, actions=1)
    right = math.log((math.exp(5) - 1) / 5)
    assert found.mean() == pytest.approx(math.log(2) + right, abs=0.02)


@pytest.mark.parametrize("points", ["lattice", "random", "policy"])
def test_the_soft_value_is_that_of_quadrature(points):
    changes = {"value_points": points, "value_particles": 100}
    agent = fresh(algorithm("sql").model_copy(update=changes), actions=2)
    agent.networks()["policy"][..., -2:] += 0.3
    state = torch.tensor([2.0, -1.0]).expand(2, STATES, 2)
    alpha = agent.temperature[:, None]
    integrals = (agent.target_value(state, draw=0) / alpha).exp()
    nodes, weights = (torch.from_numpy(x).float() for x in quadrature(20))
    action = nodes.expand(2, 1, -1, -1)
    q = agent._combined(agent._critics(agent._q_target, state[:, :1, None], action))
    exact = (q[:, 0] / alpha).exp() @ weights
    spread = integrals.std(dim=1)
    assert (spread < 0.2 * exact).all()
    error = (integrals.mean(dim=1) - exact).abs()
    assert (error < 4 * spread / math.sqrt(STATES)).all()
