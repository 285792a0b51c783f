import dataclasses
import math
from itertools import product

import jaxtyping
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exact.mdp import Mdp, staying
from tests.core.exact.processes import any_mdps, few, random_mdp

LOOP = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])  # state 1 is absorbing
NOTHING = np.zeros((2, 1))
NEVER = np.array([False, False])
SECOND = np.array([False, True])


@pytest.fixture
def as_users_run_it():
    """Without the checks of shapes that only tests make."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("as_users_run_it")
class TestWhatIsRefused:
    def test_rows_that_do_not_sum_to_one(self):
        transition = LOOP.copy()
        transition[0, 0, 0] = 0.4
        with pytest.raises(ValueError, match=r"at \[0, 0\] sum to 0.9; every row must"):
            Mdp(transition, NOTHING, 0.9, NEVER)

    def test_negative_probabilities_even_in_rows_that_sum_to_one(self):
        transition = np.array([[[1.5, -0.5]], [[0.0, 1.0]]])
        with pytest.raises(ValueError, match=r"have -0.5 at \[0, 0, 1\]"):
            Mdp(transition, NOTHING, 0.9, NEVER)

    def test_probabilities_that_are_no_number(self):
        transition = LOOP.copy()
        transition[0, 0] = math.nan
        with pytest.raises(ValueError, match=r"have nan at \[0, 0, 0\]"):
            Mdp(transition, NOTHING, 0.9, NEVER)

    @pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf])
    def test_rewards_that_are_not_finite(self, reward):
        rewards = np.array([[0.0], [reward]])
        with pytest.raises(ValueError, match=r"\[1, 0\] is not finite"):
            Mdp(LOOP, rewards, 0.9, NEVER)

    def test_transitions_of_other_states_and_actions_than_the_rewards(self):
        with pytest.raises(ValueError, match=r"\(2, 1, 2\); rewards of the shape"):
            Mdp(LOOP, np.zeros((2, 2)), 0.9, NEVER)

    @pytest.mark.parametrize("shape", [(2,), (2, 0), (0, 2), (2, 1, 1)])
    def test_rewards_without_states_and_actions(self, shape):
        with pytest.raises(ValueError, match="they need \\[state, action\\]"):
            Mdp(LOOP, np.zeros(shape), 0.9, NEVER)

    def test_a_mask_of_other_states(self):
        with pytest.raises(ValueError, match=r"shape \(3,\); there are 2 states"):
            Mdp(LOOP, NOTHING, 0.9, np.array([False, False, True]))

    def test_a_terminal_state_that_pays(self):
        with pytest.raises(ValueError, match="terminal state 1 can be left or pays"):
            Mdp(LOOP, np.ones((2, 1)), 0.9, SECOND)

    def test_a_terminal_state_that_can_be_left(self):
        first = np.array([True, False])
        with pytest.raises(ValueError, match="terminal state 0 can be left or pays"):
            Mdp(LOOP, NOTHING, 0.9, first)

    @pytest.mark.parametrize("discount", [-0.1, 1.1, math.nan, math.inf])
    def test_a_discount_outside_of_its_interval(self, discount):
        with pytest.raises(ValueError, match=r"it must lie in \[0, 1\]"):
            Mdp(LOOP, NOTHING, discount, NEVER)

    def test_no_discount_where_nothing_ends(self):
        with pytest.raises(ValueError, match=r"among the states \[0, 1\]"):
            Mdp(LOOP, NOTHING, 1.0, NEVER)

    def test_no_discount_where_one_policy_never_ends(self):
        either = np.array([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
        with pytest.raises(ValueError, match=r"stay for ever among the states \[0\]"):
            Mdp(either, np.zeros((2, 2)), 1.0, SECOND)


class TestMdp:
    def test_its_arrays_are_its_own_and_stay_as_they_are(self):
        reward = NOTHING.copy()
        mdp = Mdp(LOOP, reward, 0.9, NEVER)
        reward[0] = 7.0
        assert mdp.reward[0, 0] == 0.0
        with pytest.raises(ValueError, match="read-only"):
            mdp.reward[0] = 7.0

    def test_the_horizon_is_that_of_the_discount(self):
        assert Mdp(LOOP, NOTHING, 0.75, NEVER).horizon == 4.0

    def test_without_discount_the_horizon_is_the_longest_expected_episode(self):
        # two states in a row; the slow action stays with probability 3/4
        transition = np.zeros((3, 2, 3))
        for state in range(2):
            transition[state, 0, state + 1] = 1.0
            transition[state, 1, [state, state + 1]] = 0.75, 0.25
        transition[2, :, 2] = 1.0
        mdp = Mdp(transition, np.zeros((3, 2)), 1.0, np.array([False, False, True]))
        assert mdp.horizon == pytest.approx(8.0, rel=1e-12)  # a linear solve

    @few
    @given(any_mdps())
    def test_no_reward_of_one_per_step_is_worth_more_than_the_horizon(self, mdp):
        alive = (~mdp.terminal)[:, None] * np.ones_like(mdp.reward)
        q = np.zeros_like(alive)
        for _ in range(50):
            q = alive + mdp.discount * mdp.transition @ q.max(axis=-1)
        assert q.max() <= mdp.horizon * (1 + 1e-12)  # rounding of 50 sums

    @few
    @given(st.integers(0, 10**6))
    def test_where_one_can_stay_for_ever_agrees_with_trying_every_policy(self, seed):
        mdp = random_mdp(seed, states=4, actions=2, discount=0.9, terminals=1)
        mask = np.random.default_rng(seed).random((4, 2, 4)) < 0.4
        sparse = np.where(mask, mdp.transition, 0) + 1e-300 * np.eye(4)[:, None]
        transition = sparse / sparse.sum(axis=-1, keepdims=True)
        mdp = dataclasses.replace(mdp, transition=transition)
        can_stay = np.zeros(4, dtype=bool)
        for policy in product(range(2), repeat=4):
            move = transition[np.arange(4), policy] > 0
            reach = np.linalg.matrix_power(move.astype(float) + np.eye(4), 4) > 0
            can_stay |= ~reach[:, mdp.terminal].any(axis=-1)
        np.testing.assert_array_equal(staying(mdp), can_stay)
