import math

import numpy as np
import pytest
from hypothesis import given

from pipeline.core.exact.mdp import Mdp
from tests.core.exact.processes import any_mdps, few

LOOP = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])  # state 1 is absorbing
NOTHING = np.zeros((2, 1))
NEVER = np.array([False, False])
SECOND = np.array([False, True])


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

    def test_a_terminal_state_that_pays(self):
        with pytest.raises(ValueError, match="terminal state 1 can be left or pays"):
            Mdp(LOOP, np.ones((2, 1)), 0.9, SECOND)

    def test_a_terminal_state_that_can_be_left(self):
        first = np.array([True, False])
        with pytest.raises(ValueError, match="terminal state 0 can be left or pays"):
            Mdp(LOOP, NOTHING, 0.9, first)

    @pytest.mark.parametrize("discount", [-0.1, 1.0, math.nan, math.inf])
    def test_a_discount_outside_of_its_interval(self, discount):
        with pytest.raises(ValueError, match="at least 0 and below 1"):
            Mdp(LOOP, NOTHING, discount, NEVER)


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

    @few
    @given(any_mdps())
    def test_no_reward_of_one_per_step_is_worth_more_than_the_horizon(self, mdp):
        alive = (~mdp.terminal)[:, None] * np.ones_like(mdp.reward)
        q = np.zeros_like(alive)
        for _ in range(50):
            q = alive + mdp.discount * mdp.transition @ q.max(axis=-1)
        assert q.max() <= mdp.horizon * (1 + 1e-12)  # rounding of 50 sums
