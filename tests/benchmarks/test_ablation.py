"""Every variant of the ablation learns, and not what the default learns."""

import math

import numpy as np
import pytest
import torch

from benchmarks.ablation import learners
from benchmarks.ablation.__main__ import arguments
from benchmarks.ablation.measure import imbalance, nearest
from benchmarks.ablation.tables import METRICS, Measured, tables
from benchmarks.ablation.variants import VARIANTS
from benchmarks.patches import patched
from pipeline.core.agents import sql
from pipeline.core.agents.settings import Sql
from pipeline.core.config.computation import PLAIN
from pipeline.core.equations import soft
from pipeline.core.exact.distance import quadrature
from pipeline.core.job import Job
from pipeline.core.learning import value_table
from pipeline.core.population.networks import Mlp
from pipeline.core.training.loop import Training
from tests.core.configs import task

SEEDS = (0, 1)
STEPS = 17  # warm-up and three steps more: six updates; too many for a table
TASK = task("multigoal").model_copy(update={"horizon": 3})
DEFAULT = """{"kind": "sql", "critics": 3, "hidden": [16, 16], "batch": 8,
    "replay": 300, "warmup": 14, "updates_per_step": 2, "target": {"update_every": 2},
    "learning_rate": {"q": 1e-3, "policy": 1e-3, "constant": 0.5},
    "temperature": {"fixed": 2.0, "annealing": {"temperature": 10.0, "share": 0.6}},
    "value_particles": 16, "value_points": "lattice",
    "particles": {"states": 4, "fixed": 6, "updated": 5},
    "candidates": 2}"""
GOALS = np.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0], [0.0, -5.0]])


def trained(name):
    """A population after a few updates."""
    config = VARIANTS[name].config(Sql.model_validate_json(DEFAULT))
    with patched(VARIANTS[name].replaced):
        computation = PLAIN.model_copy(update=VARIANTS[name].computation)
        job = Job(TASK, (config,) * 2, SEEDS, STEPS, None, computation)
        training = Training(job)
        assert len(list(training)) > 0
    return training.agent


def said(agent):
    """Actions and their values, in some states."""
    noise = torch.linspace(-2, 2, 40).view(2, 10, 2)
    state = torch.linspace(-3, 3, 40).view(2, 10, 2)
    return torch.cat([agent.sample(state, noise).sum(dim=2), agent.q(state, noise)])


@pytest.fixture(scope="module")
def default():
    return said(trained("default"))


OF_THE_LEARNER = [name for name in VARIANTS if name not in ("default", "no_table")]


def test_without_a_table_nothing_is_looked_up():
    with patched(VARIANTS["no_table"].replaced):
        assert value_table.make(object(), object(), object(), steps=1) is None


@pytest.mark.parametrize("name", OF_THE_LEARNER)
def test_a_variant_learns_something_else_than_the_default(name, default):
    agent = trained(name)
    if isinstance(agent, learners.AveragedWeights):
        agent.settle()
    found = said(agent)
    assert found.isfinite().all()
    assert not torch.equal(found, default)


def test_averaging_changes_nothing_but_what_is_judged(default):
    assert torch.equal(said(trained("averaged_weights")), default)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_leaves_the_core_as_it_was(name):
    def parts():
        return (
            sql.SoftQLearning,
            sql.SteinSampler,
            soft.kernel_bandwidth,
            value_table.make,
            Mlp._between,
        )

    before = parts()
    with patched(VARIANTS[name].replaced):
        assert (parts() != before) == bool(VARIANTS[name].replaced)
    assert parts() == before


def test_the_density_of_kernel_proposals_integrates_to_one():
    centre = torch.tensor([[-0.4, 0.3], [0.2, 0.1], [0.5, -0.6]])
    width = learners.kernel_width(centre)
    nodes, weights = quadrature(50)
    u = torch.from_numpy(np.arctanh(nodes))
    log_density = learners.mixture_log_density(u, centre.double(), width.double())
    # Gaussians this wide are smooth over the 200 nodes of an axis.
    total = log_density.exp() @ torch.from_numpy(weights)
    assert float(total) == pytest.approx(1, abs=1e-6)


def test_half_of_the_kernel_proposals_are_uniform():
    centre = torch.zeros(1, 2)
    far = torch.full((1, 2), 8.0)  # where no kernel reaches
    found = learners.mixture_log_density(far, centre, torch.full((1, 2), 0.01))
    assert float(found) == pytest.approx(-3 * math.log(2), abs=1e-6)


def test_kernel_proposals_estimate_the_integral_without_bias():
    agent = trained("kernel_proposals")
    state = torch.tensor([2.0, -1.0]).expand(2, 64, 2)
    alpha = agent.temperature[:, None]
    values = [agent.target_value(state, draw=index) for index in range(40)]
    estimates = torch.stack(values).div(alpha).exp().transpose(0, 1).flatten(1).double()
    nodes, weights = (torch.from_numpy(each) for each in quadrature(20))
    action = nodes.float().expand(2, 1, -1, -1)
    first = state[:, :1].unsqueeze(2)
    q = agent._combined(agent._critics(agent._q_target, first, action))[:, 0]
    exact = (q / alpha).exp().double() @ weights
    error = (estimates.mean(dim=1) - exact).abs()
    # 2560 estimates of each member, independent but for a batch's lattice.
    assert (error < 5 * estimates.std(dim=1) / math.sqrt(2560)).all()
    assert (estimates.std(dim=1) < 0.5 * exact).all()


def test_two_critics_say_what_the_lower_one_says():
    agent = trained("lower_of_two")
    state, action = torch.zeros(2, 10, 2), torch.linspace(-1, 1, 40).view(2, 10, 2)
    each = agent._critics(agent._q, state.unsqueeze(2), action.unsqueeze(2))
    both = each.squeeze(3).unbind(dim=1)
    assert not torch.allclose(*both)
    assert torch.equal(agent.q(state, action), torch.minimum(*both))


def test_the_change_of_volume_in_action_space_pulls_to_the_middle():
    sampler = trained("action_space")._sampler
    action = torch.tensor([-0.8, 0.0, 0.5]).expand(2, 1, 2, 3).transpose(2, 3)
    slope = sampler._slope(action, lambda a: 0 * a.sum(dim=3), torch.ones(2))
    torch.testing.assert_close(slope, -2 * action / (1 - action**2 + 1e-6))


def test_bandwidths_are_what_they_are_called():
    squared = torch.tensor([[1.0, 9.0, 25.0], [4.0, 16.0, 36.0]])
    upper = learners.upper_median_bandwidth(squared)
    assert float(upper) == pytest.approx(16 / math.log(2))
    paper = learners.paper_bandwidth(squared)
    assert float(paper) == pytest.approx(3 / (2 * math.log(4)))


def test_directions_are_shared_by_goals_that_are_equally_near():
    actions = np.array([[0.5, 0.1], [0.3, 0.3], [-0.2, -0.2], [0.0, 0.0]])
    expected = [
        [1, 0, 0, 0],
        [0.5, 0, 0.5, 0],
        [0, 0.5, 0, 0.5],
        [0.25, 0.25, 0.25, 0.25],
    ]
    np.testing.assert_array_equal(nearest(actions, GOALS), expected)


def test_imbalance_is_zero_for_equal_shares_and_largest_for_one_goal():
    shares = np.array([[0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(imbalance(shares), [0, 0.75])


def measured(variant, values, **settings):
    about = {
        "variant": variant,
        "seeds": [0, 1, 2],
        "steps": 9,
        "algorithm": {"temperature": {"fixed": 10.0}},
        "task": {"evaluation": {"final_episodes": 4}},
    }
    columns = {name: np.asarray(values, float) for name in METRICS}
    return Measured(about | settings, 60.0, "abc", columns)


def test_a_file_is_read_only_with_the_settings_it_was_made_with(tmp_path):
    path = tmp_path / "ablation.csv"
    made = measured("default", [1, 2, 3])
    assert Measured.read(path, made.settings) is None
    made.write(path)
    found = Measured.read(path, made.settings)
    assert found.seconds == 60
    assert found.code == "abc"
    for name in METRICS:
        np.testing.assert_array_equal(found.values[name], [1, 2, 3])
    assert Measured.read(path, made.settings | {"steps": 10}) is None


def test_the_table_says_medians_and_differences_by_seed():
    found = {
        "default": measured("default", [1, 2, 30]),
        "one_update": measured("one_update", [2, 3, 31]),
    }
    text = "\n".join(tables(found, code="abc"))
    assert "2.000 (1.000 … 30.000)" in text
    assert "**+1.000 [+1.000, +1.000]**" in text
    found["one_update"] = measured("one_update", [1, 3, 32])
    text = "\n".join(tables(found, code="abc"))
    # Mean 1, standard deviation 1 of three; t of 2 degrees of freedom is 4.3027.
    assert "| +1.000 [-1.484, +3.484] |" in text
    assert "changed since" not in text
    assert "changed since: default, one_update" in "\n".join(tables(found, code="new"))


def test_a_variant_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        arguments(["--only", "defautl"])
    assert "no variant defautl" in capsys.readouterr().err
