"""Every form of REINFORCE against the exact gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.exact import gradient_identity
from pipeline.core.exact.policy_gradient import (
    at_visited,
    estimates,
    least_variance_baseline,
    mean,
    objective,
    scores,
    soft_rewards,
    value_and_q,
    variance,
)
from pipeline.core.exact.trajectories import every_path
from tests.core.exact.problems import ROUNDING, episodes, policy, problem

seeds = st.integers(0, 2**32 - 1)


def baselines(task, logits, seed):
    """Any function of time and state may be subtracted."""
    value, _ = value_and_q(task, torch.tensor(logits))
    return {
        "none": np.zeros(task.shape[:2]),
        "value": value.numpy(),
        "least variance": least_variance_baseline(task, logits),
        "arbitrary": np.random.default_rng([seed, 2]).normal(size=task.shape[:2]),
    }


class TestExactGradient:
    def test_it_vanishes_at_the_soft_optimal_policy(self):
        task = problem(0)
        logits, value = np.zeros(task.shape), np.zeros(3)
        for step in reversed(range(task.horizon)):
            q = task.mdp.reward + task.mdp.discount * task.mdp.transition @ value
            logits[step] = q / task.temperature
            value = task.temperature * np.log(np.exp(logits[step]).sum(axis=-1))
            value[2] = 0.0
        best, gradient = objective(task, logits)
        np.testing.assert_allclose(gradient, 0, **ROUNDING)
        assert best == pytest.approx(task.start @ value, rel=1e-13)

    @settings(deadline=None)
    @given(seeds)
    def test_it_is_the_slope_of_the_objective(self, seed):
        task = problem(seed)
        logits, direction = policy(task, seed), policy(task, seed + 1)
        _, gradient = objective(task, logits)
        above, _ = objective(task, logits + 1e-5 * direction)
        below, _ = objective(task, logits - 1e-5 * direction)
        # A central difference: error h² J''' ~ 1e-10 and rounding 1e-16 / h ~ 1e-11.
        slope = (above - below) / 2e-5
        assert slope == pytest.approx((gradient * direction).sum(), abs=1e-8)

    @settings(deadline=None)
    @given(seeds)
    def test_the_objective_is_the_mean_soft_return_of_all_paths(self, seed):
        task, logits, paths = episodes(seed)
        assert paths.weight.sum() == pytest.approx(1, abs=1e-13)
        # log π in place of the entropy: the same in the mean, not path by path.
        returns = soft_rewards(task, logits, paths).sum(axis=1)
        value, _ = objective(task, logits)
        assert paths.weight @ returns == pytest.approx(value, abs=1e-12)


class TestEstimators:
    @pytest.mark.parametrize("credit", ["whole_return", "reward_to_go"])
    @settings(deadline=None, max_examples=25)
    @given(seeds)
    def test_all_have_the_exact_gradient_as_their_mean(self, credit, seed):
        task, logits, paths = episodes(seed)
        _, gradient = objective(task, logits)
        for name, baseline in baselines(task, logits, seed).items():
            estimate = estimates(task, logits, paths, credit=credit, baseline=baseline)
            np.testing.assert_allclose(
                mean(estimate, paths), gradient, **ROUNDING, err_msg=name
            )

    @settings(deadline=None)
    @given(seeds)
    def test_the_minus_one_of_the_entropys_gradient_has_no_mean(self, seed):
        task, logits, paths = episodes(seed)
        own = at_visited(scores(task, logits, paths), paths, states=3)
        minus_one = -task.temperature * own
        assert variance(minus_one, paths) > 0  # single episodes have it
        np.testing.assert_allclose(mean(minus_one, paths), 0, **ROUNDING)


class TestVariance:
    """Parameters of different steps are different, so their variances just add up."""

    @settings(deadline=None, max_examples=30)
    @given(seeds)
    def test_causality_helps_where_every_soft_reward_is_positive(self, seed):
        # E ‖∇ log π‖² (P² + 2 P G) >= 0 for a past P and a future G of one sign.
        task = problem(seed, least_reward=0.0)
        whole, to_go = self.variances(task, seed, "none")
        assert to_go <= whole * (1 + 1e-12)

    @settings(deadline=None, max_examples=30)
    @given(seeds)
    def test_causality_always_helps_with_the_best_baseline(self, seed):
        # Given the state, past and action are independent: the mixed term vanishes.
        whole, to_go = self.variances(problem(seed), seed, "least variance")
        assert to_go <= whole * (1 + 1e-12)

    @settings(deadline=None, max_examples=30)
    @given(seeds)
    def test_no_baseline_does_better_than_the_best(self, seed):
        task = problem(seed)
        _, least = self.variances(task, seed, "least variance")
        for name in ("none", "value", "arbitrary"):
            _, other = self.variances(task, seed, name)
            assert least <= other * (1 + 1e-12), name

    @staticmethod
    def variances(task, seed, name):
        logits = policy(task, seed)
        paths, baseline = every_path(task, logits), baselines(task, logits, seed)[name]
        return [
            variance(
                estimates(task, logits, paths, credit=credit, baseline=baseline), paths
            )
            for credit in ("whole_return", "reward_to_go")
        ]

    def test_the_figure_shows_that_causality_matters_more_in_longer_episodes(self):
        task = problem(1, least_reward=0.0, ends=False)
        shown = gradient_identity.variance_by_horizon(
            task.mdp,
            task.start,
            temperature=0.5,
            horizons=(1, 2, 3, 4, 5),
            generator=np.random.default_rng(0),
        )
        assert shown["horizon"].tolist() == [1, 2, 3, 4, 5]
        whole, to_go = shown["whole_return"], shown["reward_to_go"]
        assert whole[0] == pytest.approx(to_go[0])  # a single step has no past
        assert (np.diff(whole / to_go) > 0).all()
        least = shown["least_variance_baseline"]
        for name in ("whole_return", "reward_to_go", "value_baseline"):
            assert (least <= shown[name] * (1 + 1e-12)).all()
        assert (shown["gradient"] > 0).all()
