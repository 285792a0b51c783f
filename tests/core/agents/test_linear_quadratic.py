import gymnasium
import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from pipeline.core.agents.settings import Algorithm
from pipeline.core.job import Job
from pipeline.core.judging.scoring import drawn, score
from pipeline.core.tasks.linear_quadratic.answer import LinearQuadraticAnswer
from pipeline.core.tasks.settings import Task
from tests.core.configs import ALGORITHMS, EVALUATION, TASKS, task
from tests.core.training.test_training import trained


def system(**changes):
    return task("linear_quadratic").model_copy(update=changes).system


class TestSystem:
    def test_a_step_by_hand(self):
        # A = [[1, .1], [0, .9]], B = I, Q = I, R = diag(1, .5), bound 5.
        state, action = np.array([2.0, 1.0]), np.array([0.1, -0.2])  # feels (.5, -1)
        moved = system().advance(state, action, np.array([1.0, -2.0]))
        np.testing.assert_allclose(moved, [2 + 0.1 + 0.5 + 0.1, 0.9 - 1 - 0.2])
        reward = system().reward(state, action)
        assert reward == pytest.approx(-(4 + 1) - (0.25 + 0.5 * 1))

    @pytest.mark.parametrize(
        ("field", "matrix", "message"),
        [
            ("dynamics", ((1.0, 0.0),), "`dynamics` is 1 by 2 and must be 1 by 1"),
            ("control", ((1.0, 0.0),), "`control` is 1 by 2 and must be 2 by 2"),
            ("state_cost", ((1.0,),), "`state_cost` is 1 by 1 and must be 2 by 2"),
            ("action_cost", ((1.0,),), "`action_cost` is 1 by 1 and must be 2 by 2"),
            ("control", ((1.0, 0.0), (1.0,)), "differ in length"),
            ("state_cost", ((1.0, 0.2), (0.0, 1.0)), "`state_cost` must be symmetric"),
            ("state_cost", ((1.0, 0.0), (0.0, -1.0)), "positive semi-definite"),
            ("action_cost", ((1.0, 0.0), (0.0, 0.0)), "must be positive definite"),
            ("action_cost", ((1.0, 2.0), (2.0, 1.0)), "lowest eigenvalue is -25"),
        ],
    )
    def test_what_has_no_best_policy_is_refused(self, field, matrix, message):
        with pytest.raises(ValueError, match=message):
            system(**{field: matrix})

    def test_a_state_may_be_free_of_cost(self):
        assert system(state_cost=((1.0, 0.0), (0.0, 0.0))).noise == 0.1


class TestEnvironment:
    def many(self, count):
        return gymnasium.make_vec(
            "maxent/LinearQuadratic-v0",
            num_envs=count,
            vectorization_mode="vector_entry_point",
            system=system(),
        )

    def test_starts_and_disturbances_have_the_stated_scales(self):
        many = self.many(4000)
        before, _ = many.reset(seed=0)
        # 4000 draws: a standard deviation has a relative error of 1/√8000 = .011.
        np.testing.assert_allclose(before.std(axis=0), 0.5, rtol=0.05)
        still = np.zeros((4000, 2))
        for _ in range(4):
            after, *_ = many.step(still)
            noise = after - system().advance(before, still, still)
            np.testing.assert_allclose(noise.std(axis=0), 0.1, rtol=0.05)
            np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=0.008)
            before = after

    def test_only_the_systems_asked_for_start_again(self):
        many = self.many(3)
        many.reset(seed=1)
        before, *_ = many.step(np.ones((3, 2)))
        mask = np.array([False, True, False])
        after, _ = many.reset(seed=[None, 7, None], options={"reset_mask": mask})
        assert (before == after).all(axis=1).tolist() == [True, False, True]


ALPHA = 0.5
FAST = {"batch": 64, "replay": 20_000, "warmup": 300, "hidden": (64, 64)} | {
    "learning_rate": {"q": 3e-3, "policy": 3e-3, "constant": 0.5},
    "target": {"tau": 0.02},
}
LEARNERS = {
    "sac": ALGORITHMS["sac"] | FAST,
    "sql": ALGORITHMS["sql"]
    | FAST
    | {
        "critics": 1,
        "value_particles": 64,
        "value_points": "lattice",
        "particles": {"states": 64, "fixed": 32, "updated": 32},
        "candidates": 4,
    },
}
LEARNERS["sql_coarse"] = LEARNERS["sql"] | {
    "value_particles": 16,
    "particles": {"states": 32, "fixed": 24, "updated": 16},
    "candidates": 8,
}
PROBES = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [-0.5, 0.5], [0.4, -0.4]])


def learned(name, steps, unit, seeds=(0, 1)):
    """A population and the oracle of a system that is learned in a minute.

    The unit of rewards and temperature changes no policy. Small values are learned
    sooner.
    """
    changes = {"dynamics": ((0.8, 0.2), (0.0, 0.8)), "noise": 0.05, "start": 0.3}
    changes |= {"bound": 2.5, "horizon": 10, "discount": 0.8}
    changes |= {"state_cost": ((unit, 0.0), (0.0, unit))}
    changes |= {"action_cost": ((unit, 0.0), (0.0, unit / 2))}
    alpha = {"temperature": {"fixed": ALPHA * unit}}
    changes |= {"evaluation": EVALUATION | {"every": steps}}
    config = TypeAdapter(Task).validate_python(TASKS["linear_quadratic"] | changes)
    learner = TypeAdapter(Algorithm).validate_python(LEARNERS[name] | alpha)
    training = trained(Job(config, (learner,) * len(seeds), seeds, steps))
    return training.agent, LinearQuadraticAnswer(config).oracle(ALPHA * unit, {})


def gain_and_spread(agent, members, scale=0.4):
    """Least-squares gain and residual standard deviation of sampled actions."""
    generator = np.random.default_rng(0)
    state, noise = generator.standard_normal((2, 4096, 2)).astype(np.float32)
    states = torch.from_numpy(scale * state).expand(members, -1, -1)
    noises = torch.from_numpy(noise).expand(members, -1, -1)
    action = agent.sample(states, noises).double().numpy()
    gains, spreads = [], []
    for own in action:
        slope, *_ = np.linalg.lstsq(scale * state, own, rcond=None)
        gains.append(-slope.T)
        spreads.append((own - scale * state @ slope).std(axis=0))
    return np.array(gains), np.array(spreads)


NEAR = {"gain": 0.5, "spread": 0.2, "divergence": 0.35, "value": 0.2}
"""About 1.7 times what two seeds had. A fresh policy is wrong by 1, 4, 20 and 1."""
NEARER = {"gain": 0.2, "spread": 0.12, "divergence": 0.1, "value": 0.15}
"""About twice the worst of 3 (SAC) and 4 (SQL) seeds.

Those had: gain .09 and .09, spread .06 and .04, divergence .035 and .05 nats, value .10
and .03. With half as many particles one seed of four is .11 nats away.
"""


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "steps", "unit", "within"),
    [
        ("sac", 1500, 0.4, NEAR),
        ("sql_coarse", 1500, 0.4, NEAR),
        pytest.param("sac", 4000, 1.0, NEARER, marks=pytest.mark.long),
        pytest.param("sql", 4000, 1.0, NEARER, marks=pytest.mark.long),
    ],
)
def test_learners_reach_the_closed_form(name, steps, unit, within):
    agent, oracle = learned(name, steps, unit)
    best = oracle.regulator
    gains, spreads = gain_and_spread(agent, 2)
    error = np.abs(gains - best.gain).max(axis=(1, 2)) / np.abs(best.gain).max()
    draws = drawn(agent, PROBES, (0, 1), draws=10_000)
    found = score(draws, oracle, cells=20)
    assert (error < within["gain"]).all()
    expected = np.tile(np.sqrt(np.diag(best.covariance)), (2, 1))
    np.testing.assert_allclose(spreads, expected, rtol=within["spread"])
    assert (found["reverse_kl"] < within["divergence"]).all()
    assert (found["forward_kl"] < within["divergence"]).all()
    assert (found["value_error"] < within["value"]).all()
