"""Tolerances: 1e-9 and below is rounding of sums of values up to 100 or so in float64,
unless a comment says otherwise."""

import math
from itertools import islice, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr, logsumexp, rel_entr
from scipy.stats import binom

from pipeline.core.exact import hard
from pipeline.core.exact.iteration import settled
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.policies import (
    policy_state_value,
    restricted_improvement,
    restricted_policy_iteration,
    soft_evaluation,
    soft_evaluation_sweeps,
    soft_policy_iteration,
)
from pipeline.core.exact.tabular import (
    boltzmann,
    soft_q_iteration,
    soft_state_value,
)
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


def some_candidates(actions, seed, count=6):
    draw = np.random.default_rng(seed)
    return draw.dirichlet(np.full(actions, 0.7), size=count)


def unimodal(actions):
    """A parametric family, binomial over ordered actions, on a grid."""
    levels = np.linspace(0.05, 0.95, 19)
    return binom.pmf(np.arange(actions), actions - 1, levels[:, None])


class TestEvaluation:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_the_linear_solve_is_the_limit_of_the_sweeps(self, mdp, seed, alpha):
        policy, start = random_policy(mdp, seed), random_q(mdp, seed)
        sweeps = soft_evaluation_sweeps(mdp, policy, start, temperature=alpha)
        iterated = settled(sweeps, horizon=mdp.horizon, tolerance=1e-8)
        solved = soft_evaluation(mdp, policy, temperature=alpha)
        np.testing.assert_allclose(iterated, solved, atol=1e-8 + ROUNDING, rtol=0)

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_every_sweep_contracts_by_the_discount(self, mdp, seed, alpha):
        policy, start = random_policy(mdp, seed), random_q(mdp, seed)
        solved = soft_evaluation(mdp, policy, temperature=alpha)
        sweeps = soft_evaluation_sweeps(mdp, policy, start, temperature=alpha)
        distances = [np.abs(q - solved).max() for q in islice(sweeps, 5)]
        for before, after in pairwise(distances):
            assert after <= mdp.discount * before + ROUNDING

    def test_it_is_the_sum_of_rewards_and_entropies_of_an_episode(self):
        # two steps: flip a fair coin for 1 or 3, then again, then the end
        transition = np.zeros((3, 2, 3))
        transition[0, :, 1] = transition[1:, :, 2] = 1.0
        reward = np.array([[1.0, 3.0], [1.0, 3.0], [0.0, 0.0]])
        mdp = Mdp(transition, reward, 1.0, np.array([False, False, True]))
        q = soft_evaluation(mdp, np.full((3, 2), 0.5), temperature=2.0)
        later = 2 + 2 * math.log(2)
        np.testing.assert_allclose(q, [[1 + later, 3 + later], [1, 3], [0, 0]])

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_the_entropy_adds_in_proportion_to_the_temperature(self, mdp, seed, alpha):
        policy = random_policy(mdp, seed)
        rewards = hard.evaluation(mdp, policy)
        entropies = soft_evaluation(mdp, policy, temperature=1.0) - rewards
        soft = soft_evaluation(mdp, policy, temperature=alpha)
        np.testing.assert_allclose(soft, rewards + alpha * entropies, atol=ROUNDING)

    def test_policies_of_other_processes_are_refused(self):
        mdp = bandit([1.0, 2.0])
        with pytest.raises(ValueError, match=r"needs \[state, action\] = \(2, 2\)"):
            soft_evaluation(mdp, np.full((2, 3), 1 / 3), temperature=1.0)

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
    @given(any_mdps(), seeds, st.just(1.0) | temperatures)
    def test_value_is_the_log_partition_minus_the_divergence(self, mdp, seed, alpha):
        q, policy = random_q(mdp, seed), random_policy(mdp, seed + 1)
        log_z = logsumexp(q / alpha, axis=-1)
        better = np.exp(q / alpha - log_z[:, None])
        divergence = rel_entr(policy, better).sum(axis=-1)
        entropy = entr(policy).sum(axis=-1)
        left = alpha * entropy + (policy * q).sum(axis=-1)
        right = alpha * (log_z - divergence)
        scale = 1 + np.abs(q).max() + alpha  # terms cancel that are this large
        np.testing.assert_allclose(left, right, atol=1e-12 * scale, rtol=0)
        value = policy_state_value(mdp, q, policy, temperature=alpha)
        np.testing.assert_allclose(value, left * ~mdp.terminal, atol=1e-12 * scale)

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_no_policy_is_worth_more_for_one_step_than_the_boltzmann_one(
        self, mdp, seed, alpha
    ):
        q, policy = random_q(mdp, seed), random_policy(mdp, seed + 1)
        best = boltzmann(q, temperature=alpha)
        top = policy_state_value(mdp, q, best, temperature=alpha)
        value = policy_state_value(mdp, q, policy, temperature=alpha)
        assert (value <= top + ROUNDING).all()
        soft = soft_state_value(mdp, q, temperature=alpha)
        np.testing.assert_allclose(top, soft, atol=ROUNDING)

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_it_raises_q_in_every_state_and_action(self, mdp, seed, alpha):
        start = random_policy(mdp, seed)
        iterates = soft_policy_iteration(mdp, start, temperature=alpha)
        for before, after in pairwise(islice(iterates, 5)):
            assert (after.q >= before.q - ROUNDING).all()

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_inside_a_set_it_has_the_least_divergence_in_every_state(
        self, mdp, seed, alpha
    ):
        q = random_q(mdp, seed)
        candidates = some_candidates(q.shape[1], seed)
        policy = restricted_improvement(q, candidates, temperature=alpha)
        target = boltzmann(q, temperature=alpha)
        for row, aim in zip(policy, target, strict=True):
            divergences = rel_entr(candidates, aim).sum(axis=-1)
            assert rel_entr(row, aim).sum() == pytest.approx(divergences.min())
            assert (candidates == row).all(axis=-1).any()

    def test_candidates_that_are_no_distributions_are_refused(self):
        with pytest.raises(ValueError, match=r"candidates at \[1\] sum to 1.1"):
            restricted_improvement(
                np.zeros((1, 2)), np.array([[0.5, 0.5], [0.5, 0.6]]), temperature=1.0
            )


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

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_inside_a_set_it_is_monotone_too(self, mdp, seed, alpha):
        candidates = some_candidates(mdp.reward.shape[1], seed)
        iterates = restricted_policy_iteration(mdp, candidates, temperature=alpha)
        for before, after in pairwise(iterates):
            assert (after.q >= before.q - ROUNDING).all()

    @pytest.mark.parametrize("seed", range(5))
    def test_inside_a_set_nothing_is_better_than_where_it_ends(self, seed):
        mdp = random_mdp(seed, states=3, actions=3, discount=0.9, terminals=0)
        candidates = some_candidates(3, seed, count=4)
        *_, last = restricted_policy_iteration(mdp, candidates, temperature=0.7)
        for choice in product(range(4), repeat=3):
            other = soft_evaluation(mdp, candidates[list(choice)], temperature=0.7)
            assert (last.q >= other - ROUNDING).all()

    def test_a_family_with_one_mode_does_worse_where_two_actions_are_best(self):
        mdp = bandit([1.0, -3.0, -3.0, 1.0])
        *_, last = restricted_policy_iteration(mdp, unimodal(4), temperature=0.5)
        value = policy_state_value(mdp, last.q, last.policy, temperature=0.5)[0]
        best = soft_state_value(mdp, mdp.reward, temperature=0.5)[0]
        mode_share = max(last.policy[0, 0], last.policy[0, 3])
        assert mode_share > 0.8  # boltzmann has .5 in each
        assert best - value > 0.25  # the other mode is worth α log 2 = .35

    def test_with_one_hot_candidates_it_is_policy_iteration(self):
        mdp = random_mdp(3, states=4, actions=3, discount=0.9, terminals=1)
        *_, last = restricted_policy_iteration(mdp, np.eye(3), temperature=1e-6)
        best = hard.value_iteration(mdp, tolerance=1e-8)
        np.testing.assert_allclose(last.q, best, atol=1e-8 + ROUNDING)
