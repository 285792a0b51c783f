"""Tolerances: 1e-9 and below is rounding of sums of values up to 100 or so in float64,
unless a comment says otherwise."""

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exact import hard
from pipeline.core.exact.fitted import (
    every_transition,
    hard_fitted_sweeps,
    one_hot,
    sampled_transitions,
    soft_fitted_sweeps,
    two_state_counterexample,
)
from pipeline.core.exact.tabular import soft_q_iteration, soft_q_sweeps
from tests.core.exact.processes import any_mdps, few, random_mdp, random_q, temperatures

seeds = st.integers(0, 10**6)


def pair_up(*iterators, count):
    return list(islice(zip(*iterators, strict=False), count))


class TestTables:
    @few
    @given(any_mdps(), seeds, temperatures)
    def test_a_feature_for_each_entry_and_all_data_make_a_soft_sweep(
        self, mdp, seed, alpha
    ):
        q, data, features = random_q(mdp, seed), every_transition(mdp), one_hot(mdp)
        fitted = soft_fitted_sweeps(mdp, data, features, q.ravel(), temperature=alpha)
        sweeps = soft_q_sweeps(mdp, q, temperature=alpha)
        for weights, expected in pair_up(fitted, sweeps, count=5):
            np.testing.assert_allclose(features @ weights, expected, atol=1e-9)

    @few
    @given(any_mdps(), seeds)
    def test_a_feature_for_each_entry_and_all_data_make_a_hard_sweep(self, mdp, seed):
        q, data, features = random_q(mdp, seed), every_transition(mdp), one_hot(mdp)
        fitted = hard_fitted_sweeps(mdp, data, features, q.ravel())
        sweeps = hard.value_sweeps(mdp, q)
        for weights, expected in pair_up(fitted, sweeps, count=5):
            np.testing.assert_allclose(features @ weights, expected, atol=1e-9)

    def test_many_samples_find_the_optimum(self):
        mdp = random_mdp(5, states=4, actions=2, discount=0.8, terminals=1)
        data = sampled_transitions(mdp, 40_000, generator=np.random.default_rng(0))
        features = one_hot(mdp)
        sweeps = soft_fitted_sweeps(mdp, data, features, np.zeros(8), temperature=0.5)
        *_, weights = islice(sweeps, 100)  # .8 ** 100 < 1e-9
        best = soft_q_iteration(mdp, temperature=0.5, tolerance=1e-8)
        # 6 entries with 6667 samples each: means err by std(V) / 82, times 1 / (1 - γ)
        values = best.max(axis=-1)
        allowed = 4 * values.std() / 82 * 0.8 / 0.2
        np.testing.assert_allclose(features @ weights, best, atol=allowed)
        assert allowed < 0.25  # that is, tight enough to mean something


class TestLinearModels:
    @pytest.mark.parametrize("discount", [0.5, 0.8, 0.9, 0.99])
    @pytest.mark.parametrize("stay", [0.0, 0.9, 1.0])
    def test_the_counterexample_grows_by_its_known_factor(self, discount, stay):
        mdp, features = two_state_counterexample(discount=discount, stay=stay)
        data = every_transition(mdp)
        hard_sweeps = hard_fitted_sweeps(mdp, data, features, np.ones(1))
        soft_sweeps = soft_fitted_sweeps(
            mdp, data, features, np.ones(1), temperature=1.0
        )
        factor = discount * (2 + 4 * stay) / 5
        for power, (w, w_soft) in enumerate(pair_up(hard_sweeps, soft_sweeps, count=9)):
            assert w.item() == pytest.approx(factor**power)
            assert w_soft.item() == pytest.approx(factor**power)  # one action

    def test_it_diverges_although_every_value_is_zero_and_can_be_represented(self):
        mdp, features = two_state_counterexample(discount=0.99, stay=1.0)
        sweeps = hard_fitted_sweeps(mdp, every_transition(mdp), features, np.ones(1))
        *_, w = islice(sweeps, 101)
        assert w.item() > 1e7  # 1.188 ** 100
        assert (hard.value_iteration(mdp, tolerance=1e-9) == 0).all()

    @few
    @given(seeds, temperatures)
    def test_merged_states_cannot_diverge(self, seed, alpha):
        mdp = random_mdp(seed, states=4, actions=2, discount=0.9, terminals=0)
        merged = np.eye(4)[[0, 0, 1, 1]]  # averages contract (Gordon 1995)
        features = np.einsum("sf,ag->safg", merged[:, :2], np.eye(2)).reshape(4, 2, 4)
        data = every_transition(mdp)
        draw = np.random.default_rng(seed)
        one, other = 5 * draw.normal(size=(2, 4))
        first = soft_fitted_sweeps(mdp, data, features, one, temperature=alpha)
        second = soft_fitted_sweeps(mdp, data, features, other, temperature=alpha)
        pairs = pair_up(first, second, count=5)
        distances = [np.abs(w - w_other).max() for w, w_other in pairs]
        for before, after in pairwise(distances):
            assert after <= 0.9 * before + 1e-9


class TestTransitions:
    @few
    @given(any_mdps())
    def test_all_of_them_weigh_as_much_as_there_are_entries(self, mdp):
        data = every_transition(mdp)
        entries = (~mdp.terminal).sum() * mdp.reward.shape[1]
        assert data.weight.sum() == pytest.approx(entries)
        assert not mdp.terminal[data.state].any()

    def test_samples_have_the_probabilities_of_the_process(self):
        mdp = random_mdp(4, states=3, actions=2, discount=0.9, terminals=1)
        data = sampled_transitions(mdp, 60_000, generator=np.random.default_rng(1))
        counts = np.zeros((3, 2, 3))
        np.add.at(counts, (data.state, data.action, data.state_next), 1)
        assert counts[2].sum() == 0  # terminal
        share = counts[:2] / counts[:2].sum(axis=-1, keepdims=True)
        # standard deviations of shares of 15 000 are at most .5 / sqrt(15 000) = .004
        np.testing.assert_allclose(share, mdp.transition[:2], atol=0.02)
        np.testing.assert_array_equal(data.reward, mdp.reward[data.state, data.action])

    def test_samples_come_from_the_generator_that_is_given(self):
        mdp = random_mdp(4, states=3, actions=2, discount=0.9, terminals=1)
        same, again, other = (
            sampled_transitions(mdp, 50, generator=np.random.default_rng(seed))
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(same.state_next, again.state_next)
        assert (same.state_next != other.state_next).any()


def test_features_of_another_process_are_refused():
    mdp = random_mdp(4, states=3, actions=2, discount=0.9, terminals=0)
    sweeps = hard_fitted_sweeps(
        mdp, every_transition(mdp), np.ones((2, 2, 1)), np.ones(1)
    )
    with pytest.raises(ValueError, match=r"\(3, 2\) states and actions"):
        next(sweeps)
