"""A point with momentum that is paid for its speed, in the open."""

from functools import cache

import numpy as np
import pytest

from pipeline.core.exact.velocity import Momentum, VelocityOracle

KEPT, DISCOUNT = 0.9, 0.9
WORTHS = {
    "any": lambda velocity: np.linalg.norm(velocity, axis=-1),
    "either_way": lambda velocity: np.abs(velocity[..., 0]),
    "forward": lambda velocity: velocity[..., 0],
}
VELOCITIES = np.array([[0.0, 0.0], [0.5, 0.0], [0.3, -0.6], [-0.9, 0.2]])


def moved(velocity, action):
    length = np.linalg.norm(action, axis=-1, keepdims=True)
    return KEPT * velocity + (1 - KEPT) * action / np.maximum(length, 1.0)


@cache
def solved(
    worth="any", *, temperature=0.5, effort=0.05, spacing=0.2, discount=DISCOUNT
):
    momentum = Momentum(moved, WORTHS[worth], effort)
    return VelocityOracle.solve(
        momentum, temperature, discount=discount, spacing=spacing
    )


def relative(oracle, state):
    """The value of a policy's divergence from the uniform one in place of entropy."""
    uniform = oracle.temperature * np.log(4) / (1 - oracle.discount)
    return oracle.value(state) - uniform


def full_ahead(effort):
    """From rest at full acceleration along an axis: Σ γᵗ (1 - κᵗ⁺¹ - c)."""
    return (1 - effort) / (1 - DISCOUNT) - KEPT / (1 - DISCOUNT * KEPT)


def test_the_value_solves_the_soft_bellman_equation():
    oracle = solved()
    nodes = np.linspace(-1, 1, len(oracle.v))
    states = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    # An integral over actions by another rule than that of the solver.
    value = oracle.value(states).reshape(oracle.v.shape)
    np.testing.assert_allclose(value, oracle.v, atol=2e-3)


@pytest.mark.parametrize("worth", WORTHS)
def test_it_tends_to_going_straight_as_the_temperature_falls(worth):
    rest = np.zeros((1, 2))
    cold, warm = (
        relative(solved(worth, temperature=each), rest)[0] for each in (0.2, 0.5)
    )
    straight = full_ahead(0.05)
    # Divergence costs, and the more the warmer; the best is at most straight ahead.
    assert warm < cold < straight
    # exp(Q/α) with a slope of 1 has a mean of α from the edge of the box along an axis,
    # and as much is lost in entropy, of which less than 1 + log(4 / α²) nats.
    assert straight - cold < 0.2 * (1 + np.log(4 / 0.2**2)) / (1 - DISCOUNT)


def test_it_is_as_symmetric_as_the_box_of_actions():
    v = solved("any").v
    for turned in (v.T, v[::-1], v[:, ::-1]):
        np.testing.assert_allclose(v, turned, atol=1e-6)


def test_paid_forward_it_prefers_forward_and_paid_either_way_it_does_not():
    ahead, back = np.array([[0.5, 0.1]]), np.array([[-0.5, 0.1]])
    assert solved("forward").value(ahead) > solved("forward").value(back) + 1
    either = solved("either_way")
    np.testing.assert_allclose(either.value(ahead), either.value(back), atol=1e-6)


def test_forward_the_velocity_is_worth_what_it_keeps():
    # g is linear, so V(v) = V(0) + κ v₁ / (1 - γ κ) exactly, as nothing else depends
    # on v.
    oracle = solved("forward")
    worth = KEPT / (1 - DISCOUNT * KEPT) * VELOCITIES[:, 0]
    np.testing.assert_allclose(
        oracle.value(VELOCITIES) - oracle.value(VELOCITIES[:1]), worth, atol=1e-5
    )


def test_a_finer_grid_changes_little():
    coarse, fine = (solved(spacing=each).value(VELOCITIES) for each in (0.2, 0.1))
    np.testing.assert_allclose(coarse, fine, rtol=2e-3)


def test_only_the_velocity_matters_of_a_state():
    oracle, actions = solved(), np.random.default_rng(0).uniform(-1, 1, (4, 3, 2))
    states = np.hstack([np.full((4, 2), 7.0), VELOCITIES])
    np.testing.assert_array_equal(
        oracle.q(states, actions), oracle.q(VELOCITIES, actions)
    )
    np.testing.assert_array_equal(oracle.value(states), oracle.value(VELOCITIES))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"spacing": 0.3}, "above 0 and at most 0.2, found 0.3"),
        ({"spacing": 0.15}, "must be a whole number, found 6.66667; try 0.142857"),
        ({"temperature": 1e-3, "spacing": 0.05}, r"4\.2e\+10 pairs .* higher temp"),
        ({"temperature": 0.0}, "must be above 0"),
        ({"discount": 1.0}, "endless episode is infinite"),
    ],
)
def test_what_cannot_be_solved_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        solved(**settings)
