import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from pipeline.core.equations import soft, squashing
from tests.strategies import action_values, shifts, temperatures

DOUBLE = torch.float64


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(DOUBLE)
    yield
    torch.set_default_dtype(torch.float32)


def tensor(*values):
    return torch.tensor(values, dtype=DOUBLE)


class TestSoftValue:
    def test_constant_q_under_a_uniform_proposal_adds_the_log_volume(self):
        q = torch.full((5, 8), 3.0)
        log_proposal = torch.full((5, 8), -2 * math.log(2))  # uniform on [-1, 1]^2
        value = soft.soft_value(q, log_proposal, tensor(0.5))
        expected = torch.full((5,), 3.0 + 0.5 * 2 * math.log(2))
        torch.testing.assert_close(value, expected)

    def test_boltzmann_proposals_have_no_variance(self):
        temperature, log_z = 0.7, 1.3
        q = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
        value = soft.soft_value(q, q / temperature - log_z, tensor(temperature))
        torch.testing.assert_close(value, torch.full((3,), temperature * log_z))

    def test_many_samples_approach_the_integral(self):
        actions = torch.linspace(-1, 1, 200_001)
        q = -3 * (actions - 0.3) ** 2
        value = soft.soft_value(q, tensor(-math.log(2)), torch.tensor(0.4))
        exact, _ = integrate.quad(lambda a: math.exp(-3 * (a - 0.3) ** 2 / 0.4), -1, 1)
        assert value.item() == pytest.approx(0.4 * math.log(exact), abs=1e-4)

    @given(action_values(), temperatures, shifts)
    def test_shifting_q_shifts_the_value(self, q, alpha, shift):
        zero, alpha = torch.zeros_like(q), torch.tensor(alpha, dtype=DOUBLE)
        shifted = soft.soft_value(q + shift, zero, alpha)
        torch.testing.assert_close(shifted, soft.soft_value(q, zero, alpha) + shift)

    @given(action_values(), temperatures, st.floats(0.1, 10))
    def test_scaling_q_and_temperature_scales_the_value(self, q, alpha, factor):
        zero, alpha = torch.zeros_like(q), torch.tensor(alpha, dtype=DOUBLE)
        scaled = soft.soft_value(factor * q, zero, factor * alpha)
        torch.testing.assert_close(scaled, factor * soft.soft_value(q, zero, alpha))

    @given(action_values(), temperatures)
    def test_it_lies_between_mean_and_maximum(self, q, alpha):
        value = soft.soft_value(q, torch.zeros_like(q), torch.tensor(alpha))
        assert (value >= q.mean(dim=-1) - 1e-6).all()
        assert (value <= q.amax(dim=-1) + 1e-6).all()

    @given(action_values())
    def test_a_cold_value_is_the_maximum_and_a_hot_one_the_mean(self, q):
        zero = torch.zeros_like(q)
        cold = soft.soft_value(q, zero, tensor(1e-9))
        hot = soft.soft_value(q, zero, tensor(1e7))
        torch.testing.assert_close(cold, q.amax(dim=-1), atol=1e-6, rtol=0)
        torch.testing.assert_close(hot, q.mean(dim=-1), atol=1e-3, rtol=0)

    @given(action_values(), temperatures, st.randoms(use_true_random=False))
    def test_the_order_of_particles_does_not_matter(self, q, alpha, random):
        order = list(range(q.shape[-1]))
        random.shuffle(order)
        zero, alpha = torch.zeros_like(q), torch.tensor(alpha, dtype=DOUBLE)
        torch.testing.assert_close(
            soft.soft_value(q[..., order], zero, alpha), soft.soft_value(q, zero, alpha)
        )


class TestBellmanTarget:
    def test_terminal_states_have_no_future(self):
        target = soft.bellman_target(
            tensor(1.0, 1.0), tensor(10.0, 10.0), tensor(0.0, 1.0), 0.9
        )
        torch.testing.assert_close(target, tensor(10.0, 1.0))

    def test_it_is_a_contraction(self):
        first, second = tensor(1.0, -4.0), tensor(3.0, 0.5)
        zero = tensor(0.0, 0.0)
        gap = soft.bellman_target(zero, first, zero, 0.8) - soft.bellman_target(
            zero, second, zero, 0.8
        )
        torch.testing.assert_close(gap.abs().max(), 0.8 * (first - second).abs().max())


class TestSquash:
    @given(st.floats(-4, 4))
    def test_log_determinant_equals_the_derivative(self, u):
        log_det = squashing.squash_log_det(tensor(u))
        assert log_det.item() == pytest.approx(math.log(1 - math.tanh(u) ** 2))

    @given(st.floats(20, 1e6))
    def test_it_is_finite_far_out(self, u):
        log_det = squashing.squash_log_det(tensor(u, -u))
        assert torch.isfinite(log_det)
        assert log_det.item() == pytest.approx(2 * (2 * math.log(2) - 2 * u))

    @pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (0.8, 0.3), (-1.0, 2.0)])
    def test_the_squashed_density_integrates_to_one(self, mean, scale):
        def density(a):
            u = math.atanh(a)
            noise = (u - mean) / scale
            log = squashing.squashed_gaussian_log_density(
                tensor(noise), tensor(math.log(scale)), tensor(u)
            )
            return math.exp(log.item())

        total, _ = integrate.quad(density, -1, 1, limit=200)
        assert total == pytest.approx(1, abs=1e-6)

    def test_without_squashing_at_zero_it_is_the_normal_density(self):
        log = squashing.squashed_gaussian_log_density(
            tensor(0.0), tensor(math.log(0.5)), tensor(0.0)
        )
        assert log.item() == pytest.approx(stats.norm(0, 0.5).logpdf(0))


class TestSteinDirection:
    def test_two_particles_by_hand(self):
        # aᵢ = 0, 0 and a' = 1: squared distances are 1, so h = 1/log 2, κ = 1/2 and
        # ∇κ = -2 (0 - 1) log 2 · 1/2 = log 2.
        fixed, updated = torch.zeros(2, 1), torch.ones(1, 1)
        gradient = torch.full((2, 1), 3.0)
        direction = soft.stein_direction(fixed, updated, gradient, torch.tensor(2.0))
        assert direction.item() == pytest.approx(0.5 * 3.0 + 2.0 * math.log(2))

    def test_particles_repel_each_other_where_q_is_flat(self):
        fixed = torch.tensor([[-0.1], [0.0], [0.1]])
        direction = soft.stein_direction(
            fixed, fixed, torch.zeros(3, 1), torch.tensor(1.0)
        )
        assert direction[0] < 0 < direction[2]
        assert direction[1].item() == pytest.approx(0)

    def test_it_vanishes_on_average_at_the_target(self):
        # Stein's identity: E_p[ κ ∇log p + ∇κ ] = 0 for samples of p itself. With
        # 40 000 samples of N(0, 1) its standard error is about 1/√40000 = 0.005.
        generator = torch.Generator().manual_seed(0)
        fixed = torch.randn(40_000, 1, generator=generator)
        updated = torch.tensor([[-1.0], [0.0], [0.7]])
        direction = soft.stein_direction(fixed, updated, -fixed, torch.tensor(1.0))
        assert direction.abs().max() < 0.02

    def test_bandwidth_is_the_lower_median_over_the_log_of_the_count(self):
        distances = tensor(1.0, 4.0, 2.0, 9.0).reshape(2, 2)
        bandwidth = soft.kernel_bandwidth(distances)
        assert bandwidth.item() == pytest.approx(2.0 / math.log(2))

    def test_bandwidth_of_collapsed_particles_stays_positive(self):
        assert soft.kernel_bandwidth(torch.zeros(3, 3)).item() == 1e-3


def test_actor_loss_is_least_for_the_boltzmann_policy():
    # Over discrete actions, E_π[α log π - Q] is least at π ∝ exp(Q/α), where it is
    # -α log Σ exp(Q/α).
    q, alpha = tensor(1.0, 0.0, -0.5), torch.tensor(0.6)
    best = torch.log_softmax(q / alpha, dim=0)

    def loss(log_policy):
        per_action = [
            soft.actor_loss(log_policy[i : i + 1], q[i : i + 1], alpha)
            for i in range(3)
        ]
        return (log_policy.exp() * torch.stack(per_action)).sum()

    minimum = -alpha * torch.logsumexp(q / alpha, dim=0)
    torch.testing.assert_close(loss(best), minimum)
    other = torch.log_softmax(tensor(0.3, 0.2, 0.1), dim=0)
    assert loss(other) > minimum


def test_temperature_rises_while_entropy_is_below_its_target():
    log_alpha = torch.zeros(2, requires_grad=True)
    entropy, target = tensor(-3.0, -1.0), tensor(-2.0, -2.0)
    loss = soft.temperature_loss(log_alpha, entropy, target)
    (gradient,) = torch.autograd.grad(loss.sum(), log_alpha)
    torch.testing.assert_close(gradient, tensor(-1.0, 1.0))


def test_following_moves_a_share_of_the_way():
    target, source = tensor(0.0, 1.0), tensor(1.0, 1.0)
    torch.testing.assert_close(
        soft.polyak_average(target, source, 0.25), tensor(0.25, 1.0)
    )


def test_ornstein_uhlenbeck_has_the_variance_of_its_stationary_law():
    # Var = σ² / (1 - (1 - θ)²); the sample variance over 4000 independent chains has
    # a relative standard error of √(2/4000) = 2.2 %.
    theta, sigma = 0.15, 0.3
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(4000)
    for _ in range(100):
        noise = torch.randn(4000, generator=generator)
        x = soft.ornstein_uhlenbeck_step(x, noise, theta, torch.tensor(sigma))
    expected = sigma**2 / (1 - (1 - theta) ** 2)
    assert x.var().item() == pytest.approx(expected, rel=0.1)
