"""Everything is compared with sums over all trajectories.

Tolerances: relative 1e-9 is rounding of sums over a few thousand of them.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exact.inference import (
    Episode,
    believed_dynamics,
    evidence_bound,
    exact_posterior,
    log_evidence,
    variational,
    visited_marginals,
)
from tests.core.exact.processes import few
from tests.core.exact.trajectories import (
    ACTIONS,
    STATES,
    STEPS,
    bound_of,
    chance_under,
    deterministic_episode,
    marginals,
    posterior_weight,
    random_episode,
    trajectories,
)

seeds = st.integers(0, 10**6)
temperatures = st.floats(0.2, 5)
episodes = seeds.map(random_episode)
certain = seeds.map(deterministic_episode)


class TestExactPosterior:
    @few
    @given(episodes, temperatures)
    def test_the_evidence_is_the_sum_over_all_trajectories(self, episode, alpha):
        weight = posterior_weight(alpha)
        total = sum(weight(*each) for each in trajectories(episode))
        found = log_evidence(episode, temperature=alpha)
        assert found == pytest.approx(math.log(total), rel=1e-9, abs=1e-9)

    @few
    @given(episodes, temperatures)
    def test_its_policy_is_the_share_of_trajectories(self, episode, alpha):
        weight = marginals(episode, posterior_weight(alpha))
        policy = exact_posterior(episode, temperature=alpha).policy
        expected = weight / weight.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(policy, expected, rtol=1e-9, atol=1e-12)

    @few
    @given(episodes, temperatures)
    def test_its_beliefs_about_chance_are_the_share_of_trajectories(
        self, episode, alpha
    ):
        weight = posterior_weight(alpha)
        total = np.zeros((STEPS - 1, STATES, ACTIONS, STATES))
        for path, chance, rewards in trajectories(episode):
            for time in range(STEPS - 1):
                index = (time, *path[time], path[time + 1][0])
                total[index] += weight(path, chance, rewards)
        answer = exact_posterior(episode, temperature=alpha)
        found = believed_dynamics(episode, answer)
        expected = total / total.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(found[:-1], expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found[-1], episode.transition, rtol=1e-12)


class TestVariational:
    @few
    @given(episodes, temperatures)
    def test_its_bound_is_the_evidence_minus_the_divergence(self, episode, alpha):
        policy = variational(episode, temperature=alpha).policy
        evidence = log_evidence(episode, temperature=alpha)
        divergence, weight = 0.0, chance_under(policy)
        for path, chance, rewards in trajectories(episode):
            share = weight(path, chance, rewards)
            posterior = posterior_weight(alpha)(path, chance, rewards)
            divergence += share * (math.log(share / posterior) + evidence)
        bound = evidence_bound(episode, temperature=alpha)
        assert bound == pytest.approx(evidence - divergence, rel=1e-9, abs=1e-9)
        assert divergence >= -1e-9

    @few
    @given(seeds, temperatures)
    def test_no_other_policy_has_a_greater_bound(self, seed, alpha):
        episode = random_episode(seed)
        draw = np.random.default_rng(seed + 1)
        other = draw.dirichlet(np.ones(ACTIONS), size=(STEPS, STATES))
        bound = evidence_bound(episode, temperature=alpha)
        assert bound_of(episode, other, alpha) <= bound + 1e-9
        best = variational(episode, temperature=alpha).policy
        assert bound_of(episode, best, alpha) == pytest.approx(bound, abs=1e-9)

    @few
    @given(episodes, temperatures)
    def test_marginals_of_a_policy_are_chances_of_trajectories(self, episode, alpha):
        policy = variational(episode, temperature=alpha).policy
        expected = marginals(episode, chance_under(policy))
        found = visited_marginals(episode, policy)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


class TestSideBySide:
    @few
    @given(episodes, temperatures)
    def test_the_exact_posterior_is_never_less_optimistic(self, episode, alpha):
        exact = exact_posterior(episode, temperature=alpha)
        cautious = variational(episode, temperature=alpha)
        assert (exact.q >= cautious.q - 1e-9).all()
        assert (exact.q[0] > cautious.q[0]).all()  # V(s') differ, and all have a chance
        bound = evidence_bound(episode, temperature=alpha)
        assert bound < log_evidence(episode, temperature=alpha)

    @few
    @given(certain, temperatures)
    def test_without_chance_they_are_the_same(self, episode, alpha):
        exact = exact_posterior(episode, temperature=alpha)
        cautious = variational(episode, temperature=alpha)
        np.testing.assert_allclose(exact.q, cautious.q, atol=1e-9)
        np.testing.assert_allclose(exact.policy, cautious.policy, atol=1e-9)

    @few
    @given(seeds, temperatures)
    def test_a_step_is_optimistic_exactly_where_chance_matters(self, seed, alpha):
        # states 1 and 2 are the same under two names; action 0 moves among them only
        draw = np.random.default_rng(seed)
        reward = draw.normal(size=(STATES, ACTIONS))
        reward[0, 0] = reward[1, 0] + 1.0  # so that state 0 is worth something else
        reward[0, 1], reward[2] = reward[1, 1] + 1.0, reward[1]
        transition = np.zeros((STATES, ACTIONS, STATES))
        transition[:, 0] = 0.0, 0.3, 0.7
        transition[:, 1] = 0.4, 0.6, 0.0
        episode = Episode(transition, reward, np.eye(STATES)[0], STEPS)
        answer = exact_posterior(episode, temperature=alpha)
        expectation = reward + np.einsum("sat,kt->ksa", transition, answer.value[1:])
        gap = answer.q[:-1] - expectation
        np.testing.assert_allclose(gap[..., 0], 0.0, atol=1e-12)
        # V differs by 1 here: α log(.4 exp(1/α) + .6) - .4 is > .02 up to α = 5
        assert (gap[..., 1] > 0.02).all()

    @pytest.mark.parametrize("alpha", [1e-3, 1e3])
    def test_extreme_temperatures_overflow_nothing(self, alpha):
        episode = random_episode(0)
        for answer in (
            exact_posterior(episode, temperature=alpha),
            variational(episode, temperature=alpha),
        ):
            np.testing.assert_allclose(answer.policy.sum(axis=-1), 1, rtol=1e-9)


@pytest.mark.parametrize("solve", [exact_posterior, variational])
def test_a_temperature_of_zero_is_refused(solve):
    with pytest.raises(ValueError, match="must be above 0"):
        solve(random_episode(0), temperature=0.0)
