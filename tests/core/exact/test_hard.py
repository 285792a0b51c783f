"""Tolerances: 1e-9 and below is rounding of sums of values up to 100 or so in float64,
unless a comment says otherwise."""

import math
from itertools import islice, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exact import hard
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.policies import soft_evaluation
from pipeline.core.exact.tabular import boltzmann, soft_q_iteration
from tests.core.exact.processes import any_mdps, few, random_mdp, random_q, temperatures

ROUNDING = 1e-9
SOLVED = 1e-8
seeds = st.integers(0, 10**6)


class TestHardControl:
    @pytest.mark.parametrize("seed", range(5))
    def test_value_iteration_finds_the_best_of_all_deterministic_policies(self, seed):
        mdp = random_mdp(seed, states=4, actions=3, discount=0.9, terminals=1)
        values = [  # without entropy, at any temperature
            soft_evaluation(mdp, np.eye(3)[list(choice)], temperature=1.0)
            for choice in product(range(3), repeat=4)
        ]
        best = hard.value_iteration(mdp, tolerance=SOLVED)
        expected = np.max(values, axis=0)
        np.testing.assert_allclose(best, expected, atol=SOLVED + ROUNDING)

    @few
    @given(any_mdps(), seeds)
    def test_every_sweep_contracts_by_the_discount(self, mdp, seed):
        one = hard.value_sweeps(mdp, random_q(mdp, seed))
        other = hard.value_sweeps(mdp, random_q(mdp, seed + 1))
        pairs = zip(islice(one, 5), islice(other, 5), strict=True)
        distances = [np.abs(q - q_other).max() for q, q_other in pairs]
        for before, after in pairwise(distances):
            assert after <= mdp.discount * before + 1e-12


class TestTheLimit:
    @few
    @given(any_mdps(), temperatures)
    def test_the_soft_q_is_above_the_hard_one_by_a_bounded_entropy(self, mdp, alpha):
        soft = soft_q_iteration(mdp, temperature=alpha, tolerance=SOLVED)
        gap = soft - hard.value_iteration(mdp, tolerance=SOLVED)
        gamma, actions = mdp.discount, mdp.reward.shape[1]
        bound = gamma * alpha * math.log(actions) / (1 - gamma)
        assert (gap >= -2 * SOLVED).all()
        assert (gap <= bound + 2 * SOLVED).all()

    @pytest.mark.parametrize("seed", range(3))
    def test_q_and_policy_reach_the_hard_ones_as_the_temperature_falls(self, seed):
        mdp = random_mdp(seed, states=4, actions=3, discount=0.9, terminals=0)
        best = hard.value_iteration(mdp, tolerance=SOLVED)
        gaps = []
        for alpha in (1.0, 0.1, 0.01, 0.001):
            q = soft_q_iteration(mdp, temperature=alpha, tolerance=SOLVED)
            gaps.append(np.abs(q - best).max())
        # Where one action is best, α log Σ exp((Q - max Q)/α) is α e^(-Δ/α): it falls
        # faster than α. Where two are equally good it falls as α, here a tenth a time.
        assert all(after < 0.11 * before for before, after in pairwise(gaps))
        assert gaps[-1] < 1e-3
        # rewards are continuous draws: no two actions are within 20 α of each other
        policy = boltzmann(q, temperature=0.001)
        np.testing.assert_allclose(policy, hard.greedy(best), atol=1e-6)

    def test_where_all_actions_are_equal_the_bound_is_reached(self):
        mdp = Mdp(np.ones((1, 4, 1)), np.zeros((1, 4)), 0.9, np.array([False]))
        q = soft_q_iteration(mdp, temperature=0.5, tolerance=SOLVED)
        np.testing.assert_allclose(q, 0.9 * 0.5 * math.log(4) / 0.1, atol=SOLVED)


def test_the_greedy_policy_takes_the_first_of_equally_good_actions():
    q = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    assert hard.greedy(q).tolist() == [[0, 1, 0], [1, 0, 0]]
