"""Tolerances: 1e-9 and below is rounding of sums of values up to 100 or so in float64,
unless a comment says otherwise."""

import math
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr

from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.policies import soft_evaluation, soft_policy_iteration
from pipeline.core.exact.tabular import boltzmann, soft_q_iteration, soft_state_value
from tests.core.exact.processes import (
    any_mdps,
    bandit,
    few,
    random_mdp,
    random_policy,
    random_q,
    temperatures,
)

ROUNDING = 1e-9
seeds = st.integers(0, 10**6)


def worth(mdp, q, policy, alpha):
    """V(s) = E_π [ Q - α log π ], and 0 at terminal states."""
    return ~mdp.terminal * (policy * q + alpha * entr(policy)).sum(axis=-1)


class TestEvaluation:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_it_solves_the_soft_bellman_equation_of_the_policy(self, mdp, seed, alpha):
        policy = random_policy(mdp, seed)
        q = soft_evaluation(mdp, policy, temperature=alpha)
        ahead = mdp.transition @ worth(mdp, q, policy, alpha)
        expected = mdp.reward + mdp.discount * ahead
        np.testing.assert_allclose(q, expected, atol=ROUNDING)

    def test_it_is_the_sum_of_rewards_and_entropies_of_an_episode(self):
        # two steps: flip a fair coin for 1 or 3, then again, then the end
        transition = np.zeros((3, 2, 3))
        transition[0, :, 1] = transition[1:, :, 2] = 1.0
        reward = np.array([[1.0, 3.0], [1.0, 3.0], [0.0, 0.0]])
        mdp = Mdp(transition, reward, 0.9, np.array([False, False, True]))
        q = soft_evaluation(mdp, np.full((3, 2), 0.5), temperature=2.0)
        later = 0.9 * (2 + 2 * math.log(2))
        np.testing.assert_allclose(q, [[1 + later, 3 + later], [1, 3], [0, 0]])

    def test_policies_that_do_not_sum_to_one_are_refused(self):
        mdp = bandit([1.0, 2.0])
        with pytest.raises(ValueError, match=r"policy at \[0\] sum to 0.8"):
            soft_evaluation(mdp, np.full((2, 2), 0.4), temperature=1.0)

    def test_a_temperature_of_zero_is_refused(self):
        mdp = bandit([1.0, 2.0])
        with pytest.raises(ValueError, match="there are the hard functions"):
            soft_evaluation(mdp, np.full((2, 2), 0.5), temperature=0.0)


class TestImprovement:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_no_policy_is_worth_more_for_one_step_than_the_boltzmann_one(
        self, mdp, seed, alpha
    ):
        q, policy = random_q(mdp, seed), random_policy(mdp, seed + 1)
        best = boltzmann(q, temperature=alpha)
        top = worth(mdp, q, best, alpha)
        assert (worth(mdp, q, policy, alpha) <= top + ROUNDING).all()
        soft = soft_state_value(mdp, q, temperature=alpha)
        np.testing.assert_allclose(top, soft, atol=ROUNDING)

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_it_raises_q_in_every_state_and_action(self, mdp, seed, alpha):
        start = random_policy(mdp, seed)
        iterates = soft_policy_iteration(mdp, start, temperature=alpha)
        for before, after in pairwise(islice(iterates, 5)):
            assert (after.q >= before.q - ROUNDING).all()


class TestPolicyIteration:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_its_limit_is_the_fixed_point_of_soft_q_iteration(self, mdp, seed, alpha):
        start = random_policy(mdp, seed)
        iterates = soft_policy_iteration(mdp, start, temperature=alpha)
        *_, last = islice(iterates, 25)  # doubles its digits at the end
        best = soft_q_iteration(mdp, temperature=alpha, tolerance=1e-8)
        np.testing.assert_allclose(last.q, best, atol=1e-8 + ROUNDING, rtol=0)
        expected = boltzmann(best, temperature=alpha)
        np.testing.assert_allclose(last.policy, expected, atol=2e-8 / alpha)

    def test_the_first_iterate_is_the_policy_it_starts_from(self):
        mdp = random_mdp(1, states=3, actions=2, discount=0.9, terminals=0)
        start = random_policy(mdp, 0)
        policy, q = next(soft_policy_iteration(mdp, start, temperature=0.5))
        assert policy is start
        np.testing.assert_array_equal(q, soft_evaluation(mdp, start, temperature=0.5))
