import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import solve_discrete_are
from scipy.stats import multivariate_normal

from pipeline.core.exact.linear_quadratic import (
    OUTSIDE,
    action_scales,
    probability_outside,
    solve,
    width_for,
)
from pipeline.core.exact.linear_system import System
from pipeline.core.tasks.linear_quadratic.answer import LinearQuadraticAnswer
from tests.core.configs import task

DISCOUNT = 0.9


def system(**changes):
    """A mass on a line that is pushed and turned: 2 states, 2 actions, all coupled."""
    own = {
        "dynamics": np.array([[1.0, 0.3], [-0.2, 0.9]]),
        "control": np.array([[1.0, 0.2], [0.0, 0.5]]),
        "state_cost": np.array([[1.0, 0.3], [0.3, 0.5]]),
        "action_cost": np.array([[0.7, 0.1], [0.1, 0.4]]),
        "noise": 0.3,
        "start": 0.5,
    }
    return System(**own | changes)


def matrices(rows, columns, *, largest):
    tenths = st.integers(-10, 10).map(lambda number: largest * number / 10)
    return arrays("float64", (rows, columns), elements=tenths)


@st.composite
def systems(draw):
    """Three states and two actions; contracting where actions do not reach."""
    dynamics = draw(matrices(3, 3, largest=0.3))
    control = draw(matrices(3, 2, largest=2.0))
    state, action = (draw(matrices(n, n, largest=2.0)) for n in (3, 2))
    return System(
        dynamics=dynamics,
        control=control,
        state_cost=state.T @ state + 0.1 * np.eye(3),
        action_cost=action.T @ action + 0.1 * np.eye(2),
        noise=draw(st.floats(0, 2)),
        start=1.0,
    )


def mean(best, state):
    """Of the policy's actions."""
    return -state @ best.gain.T


class TestSolve:
    @given(systems(), st.floats(0.01, 100), st.floats(0.05, 0.99))
    @settings(max_examples=50)
    def test_the_values_satisfy_the_soft_bellman_equation(self, found, alpha, discount):
        best = solve(found, alpha, discount=discount)
        generator = np.random.default_rng(0)
        state = generator.normal(size=(20, 3))
        action = generator.normal(size=(20, 2))
        # log π from Q - V is the density of the stated Gaussian: V = α log ∫ exp(Q/α).
        log_prob = multivariate_normal([0, 0], best.covariance).logpdf(
            action - mean(best, state)
        )
        residual = best.q(state, action) - alpha * log_prob - best.value(state)
        size = 1 + np.abs(best.q(state, action)).max() + np.abs(alpha * log_prob).max()
        # Rounding, amplified by the sum over the future 1/(1 - γ) <= 100.
        assert np.abs(residual).max() / size < 1e-12

    @given(systems(), st.floats(0.05, 0.99))
    @settings(max_examples=50)
    def test_the_curvature_is_that_of_the_discounted_regulator(self, found, discount):
        best = solve(found, 1.0, discount=discount)
        root = math.sqrt(discount)
        theirs = solve_discrete_are(
            root * found.dynamics,
            root * found.control,
            found.state_cost,
            found.action_cost,
        )
        # Theirs solves for invariant subspaces, whose rounding costs some digits.
        size = np.abs(theirs).max()
        np.testing.assert_allclose(best.curvature, theirs, atol=1e-9 * size)

    def test_the_value_is_the_mean_of_discounted_soft_rewards(self):
        alpha, count, steps = 0.5, 10_000, 120  # γ¹²⁰ = 3e-6
        best = solve(system(), alpha, discount=DISCOUNT)
        generator = np.random.default_rng(0)
        first = np.array([1.0, -0.5])
        state = np.tile(first, (count, 1))
        policy = multivariate_normal([0, 0], best.covariance)
        total = np.zeros(count)
        for step in range(steps):
            deviation = policy.rvs(count, random_state=generator)
            action = mean(best, state) + deviation
            soft = best.system.reward(state, action) - alpha * policy.logpdf(deviation)
            total += DISCOUNT**step * soft
            noise = generator.standard_normal(state.shape)
            state = best.system.advance(state, action, noise)
        error = total.std() / math.sqrt(count)
        assert abs(total.mean() - best.value(first)) < 4 * error
        assert error < 0.01 * abs(best.value(first))  # it would see a wrong constant

    def test_without_temperature_it_is_the_regulator_for_certain_actions(self):
        cold, hot = (solve(system(), a, discount=DISCOUNT) for a in (1e-9, 1.0))
        np.testing.assert_array_equal(cold.gain, hot.gain)
        np.testing.assert_array_equal(cold.curvature, hot.curvature)
        assert cold.covariance.max() < 1e-8
        # V -> -s'Ps - γ tr(P S) / (1 - γ), the regulator's cost with noise; the rest
        # is of the order α log(1/α) = 2e-8.
        noise = 0.3**2 * DISCOUNT * np.trace(cold.curvature) / (1 - DISCOUNT)
        assert cold.constant == pytest.approx(noise, abs=1e-6)

    def test_the_entropy_is_that_of_the_policy(self):
        best = solve(system(), 0.5, discount=DISCOUNT)
        expected = multivariate_normal([0, 0], best.covariance).entropy()
        assert best.entropy == pytest.approx(expected)


class TestRefusals:
    @pytest.mark.parametrize("alpha", [0.0, -1.0, math.nan, math.inf])
    def test_a_temperature_that_is_not_positive(self, alpha):
        with pytest.raises(ValueError, match="must be above 0 and finite"):
            solve(system(), alpha, discount=DISCOUNT)

    def test_a_discount_without_a_limit(self):
        with pytest.raises(ValueError, match="below 1"):
            solve(system(), 1.0, discount=1.0)

    @pytest.mark.parametrize("growth", [1.06, 2.0])  # 1/√0.9 = 1.054
    def test_what_grows_out_of_reach(self, growth):
        lost = system(
            dynamics=np.diag([0.5, growth]), control=np.array([[1.0, 0.0], [0.0, 0.0]])
        )
        with pytest.raises(ValueError, match="does not converge"):
            solve(lost, 1.0, discount=DISCOUNT)

    def test_what_grows_slower_than_the_discount_shrinks_is_solved(self):
        slow = system(
            dynamics=np.diag([0.5, 1.04]), control=np.array([[1.0, 0.0], [0.0, 0.0]])
        )
        assert np.isfinite(solve(slow, 1.0, discount=DISCOUNT).constant)


class TestOracle:
    def make(self, alpha=0.5, **changes):
        config = task("linear_quadratic").model_copy(update=changes)
        return LinearQuadraticAnswer(config).oracle(alpha, {})

    def test_entropies_are_those_of_actions_in_the_unit_box(self):
        # The same control with actions as the system feels them: V is higher by the
        # entropy of every future step, α d log(bound) / (1 - γ).
        config = task("linear_quadratic")
        ours = self.make()
        felt = solve(
            config.model_copy(update={"bound": 1.0}).system,
            0.5,
            discount=config.discount,
        )
        state = np.random.default_rng(0).normal(size=(5, 2))
        higher = 0.5 * 2 * math.log(config.bound) / (1 - config.discount)
        np.testing.assert_allclose(ours.value(state) + higher, felt.value(state))
        np.testing.assert_allclose(config.bound * ours.regulator.gain, felt.gain)

    def test_its_density_integrates_to_one_over_the_box(self):
        oracle = self.make()
        axis = (np.arange(400) + 0.5) / 200 - 1
        nodes = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        state = np.array([[0.3, -0.4], [0.0, 0.0]])
        q = oracle.q(state, np.stack([nodes, nodes]))
        density = np.exp((q - oracle.value(state)[:, None]) / oracle.temperature)
        np.testing.assert_allclose(density.mean(axis=1) * 4, 1.0, atol=1e-6)

    def test_episodes_of_the_closed_form_have_the_stated_spread(self):
        oracle, count = self.make(), 50_000
        best, config = oracle.regulator, task("linear_quadratic")
        generator = np.random.default_rng(0)
        scales = action_scales(best, horizon=config.horizon)
        state = config.start * generator.standard_normal((count, 2))
        root = np.linalg.cholesky(best.covariance)
        for scale in scales:
            action = mean(best, state) + generator.standard_normal((count, 2)) @ root.T
            # A standard deviation from n draws has a relative error of 1/√(2n) = .003.
            np.testing.assert_allclose(action.std(axis=0), scale, rtol=0.015)
            noise = generator.standard_normal((count, 2))
            state = best.system.advance(state, action, noise)

    def test_a_narrow_box_is_refused_with_the_width_it_needs(self):
        with pytest.raises(ValueError, match=r"`bound` is 0\.5 and must be") as caught:
            self.make(bound=0.5)
        needed = float(str(caught.value).rsplit(" ", 1)[1])
        oracle = self.make(bound=needed)
        steps = task("linear_quadratic").horizon
        scales = action_scales(oracle.regulator, horizon=steps)
        # The width is rounded up to hundredths: P falls by a tenth over the last one.
        assert 8e-7 < probability_outside(scales, width=1.0) <= 1e-6
        with pytest.raises(ValueError, match="must be at least"):
            self.make(bound=needed - 0.02)

    def test_a_higher_temperature_needs_a_wider_box(self):
        with pytest.raises(ValueError, match="at the temperature 50"):
            self.make(alpha=50.0)

    def test_the_probability_is_a_bound_of_what_happens(self):
        scales = np.array([[0.5, 1.0], [0.8, 0.3]])
        draws = scales * np.random.default_rng(0).standard_normal((200_000, 2, 2))
        happens = (np.abs(draws) > 1.5).any(axis=(1, 2)).mean()
        bound = probability_outside(scales, width=1.5)
        assert happens <= bound < 1.2 * happens  # few leave twice
        width = width_for(scales, OUTSIDE)
        assert probability_outside(scales, width=width) == pytest.approx(OUTSIDE)
