"""Tolerances: 1e-9 and below is rounding of sums of values up to 100 or so in float64,
unless a comment says otherwise."""

import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exact.iteration import settled
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.tabular import (
    boltzmann,
    soft_q_iteration,
    soft_q_sweeps,
    soft_state_value,
)
from tests.core.exact.processes import (
    any_mdps,
    bandit,
    few,
    mdps,
    random_mdp,
    random_q,
    temperatures,
)

SOLVED = 1e-8
"""The guaranteed error of what the tests solve, in reward units."""
seeds = st.integers(0, 10**6)


def solve(mdp, alpha):
    return soft_q_iteration(mdp, temperature=alpha, tolerance=SOLVED)


def swept(mdp, q, alpha):
    return next(islice(soft_q_sweeps(mdp, q, temperature=alpha), 1, None))


class TestSoftQIteration:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_every_sweep_contracts_by_the_discount(self, mdp, seed, alpha):
        one, other = random_q(mdp, seed), random_q(mdp, seed + 1)
        for _ in range(4):
            before = np.abs(one - other).max()
            one, other = swept(mdp, one, alpha), swept(mdp, other, alpha)
            assert np.abs(one - other).max() <= mdp.discount * before + 1e-12

    @few
    @given(any_mdps(), temperatures, st.floats(1e-6, 1))
    def test_it_is_as_close_to_the_fixed_point_as_it_promises(
        self, mdp, alpha, tolerance
    ):
        q = soft_q_iteration(mdp, temperature=alpha, tolerance=tolerance)
        assert np.abs(q - solve(mdp, alpha)).max() <= tolerance + SOLVED

    @few
    @given(mdps(terminals=0), temperatures)
    def test_a_mean_over_actions_lowers_q_by_the_horizon_and_keeps_the_policy(
        self, mdp, alpha
    ):
        gamma, actions = mdp.discount, mdp.reward.shape[1]
        q = solve(mdp, alpha)
        mean = q - gamma * alpha * math.log(actions) / (1 - gamma)
        # the fixed point of the sweep with a mean, which is unique as that contracts
        weight = np.exp((mean - mean.max(axis=-1, keepdims=True)) / alpha)
        value = mean.max(axis=-1) + alpha * np.log(weight.mean(axis=-1))
        sweep = mdp.reward + gamma * mdp.transition @ value
        np.testing.assert_allclose(sweep, mean, atol=2 * SOLVED, rtol=1e-12)
        np.testing.assert_allclose(
            boltzmann(mean, temperature=alpha),
            boltzmann(q, temperature=alpha),
            atol=1e-9 / alpha,
        )

    def test_a_mean_over_actions_changes_the_task_where_episodes_end(self):
        # stop for 0, or go on once for -0.5 to a state with two ways to stop
        transition = np.zeros((3, 2, 3))
        transition[0, 0, 2] = transition[0, 1, 1] = 1.0
        transition[1:, :, 2] = 1.0
        terminal = np.array([False, False, True])
        reward = np.array([[0.0, -0.5], [0.0, 0.0], [0.0, 0.0]])
        q = solve(Mdp(transition, reward, 0.9, terminal), 1.0)
        assert q[0] == pytest.approx([0.0, 0.9 * math.log(2) - 0.5])  # with a mean -.5

    def test_terminal_states_are_worth_nothing_not_even_entropy(self):
        mdp = random_mdp(1, states=4, actions=3, discount=0.9, terminals=1)
        q = solve(mdp, 2.0)
        assert (q[3] == 0).all()
        assert soft_state_value(mdp, q, temperature=2.0)[3] == 0

    def test_the_first_sweep_yielded_is_where_it_starts(self):
        mdp = random_mdp(2, states=3, actions=2, discount=0.9, terminals=0)
        q = random_q(mdp, 3)
        assert next(soft_q_sweeps(mdp, q, temperature=1.0)) is q


class TestSoftStateValue:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_it_is_at_least_the_maximum_and_at_most_log_actions_more(
        self, mdp, seed, alpha
    ):
        q, alive = random_q(mdp, seed), ~mdp.terminal
        value = soft_state_value(mdp, q, temperature=alpha)[alive]
        top = q.max(axis=-1)[alive]
        assert (value >= top).all()
        assert (value <= top + alpha * math.log(q.shape[1]) + 1e-12).all()

    @few
    @given(any_mdps(), seeds, temperatures)
    def test_the_policy_is_the_exponential_of_the_advantage(self, mdp, seed, alpha):
        q, alive = random_q(mdp, seed), ~mdp.terminal
        value = soft_state_value(mdp, q, temperature=alpha)
        expected = np.exp((q - value[:, None]) / alpha)
        policy = boltzmann(q, temperature=alpha)
        np.testing.assert_allclose(policy[alive], expected[alive], atol=1e-12)

    def test_a_temperature_near_zero_overflows_nothing(self):
        mdp = bandit([1.0, 3.0, -2.0])
        value = soft_state_value(mdp, mdp.reward, temperature=1e-300)
        assert value[0] == 3.0
        assert boltzmann(mdp.reward, temperature=1e-300)[0].tolist() == [0, 1, 0]


class TestBandit:
    @few
    @given(st.lists(st.floats(-5, 5), min_size=2, max_size=5), temperatures)
    def test_value_and_policy_are_the_closed_forms(self, rewards, alpha):
        mdp = bandit(rewards)
        q = solve(mdp, alpha)
        weight = np.exp(np.array(rewards) / alpha)
        value = soft_state_value(mdp, q, temperature=alpha)[0]
        assert value == pytest.approx(alpha * math.log(weight.sum()), abs=1e-12)
        expected = weight / weight.sum()
        policy = boltzmann(q, temperature=alpha)
        np.testing.assert_allclose(policy[0], expected, atol=1e-12)


class TestWhatIsRefused:
    @pytest.mark.parametrize("alpha", [0.0, -1.0, math.nan, math.inf])
    def test_temperatures_that_are_not_positive(self, alpha):
        with pytest.raises(ValueError, match="it must be above 0 and finite"):
            solve(bandit([1.0, 2.0]), alpha)

    @pytest.mark.parametrize("tolerance", [0.0, -1e-3, math.nan])
    def test_tolerances_that_are_not_positive(self, tolerance):
        mdp = bandit([1.0, 2.0])
        with pytest.raises(ValueError, match="it must be above 0"):
            soft_q_iteration(mdp, temperature=1.0, tolerance=tolerance)

    def test_sweeps_that_float64_keeps_from_ever_being_close_enough(self):
        def noise():
            for k in range(150):  # .9 ** 115 is what it takes without noise
                yield np.full((3, 2), 1e-3 * (-1) ** k)
            pytest.fail("it should have given up")

        with pytest.raises(ValueError, match="finer than float64 resolves"):
            settled(noise(), horizon=10.0, tolerance=1e-6)

    def test_values_so_large_that_their_last_digit_is_too_much(self):
        def growing():
            yield from (np.full(2, -1e5 * k) for k in range(3))
            pytest.fail("it should have given up")

        # 1.5e-11 from one number to the next, times a million steps.
        with pytest.raises(ValueError, match="Allow a larger error, or take a smaller"):
            settled(growing(), horizon=1e6, tolerance=1e-6)
