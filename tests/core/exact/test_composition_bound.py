import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from pipeline.core.exact.composition_bound import PlaneGap, renyi_half, table_gap
from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.mdp import Mdp
from pipeline.core.exact.tabular import boltzmann, soft_q_iteration
from pipeline.core.tasks.multigoal.arena import Arena
from pipeline.core.tasks.multigoal.combination import combined_arena
from pipeline.core.tasks.multigoal.settings import MultiGoal
from tests.core.configs import TASKS

SLACK = 1e-6
"""What iterations to 1e-9 and the rounding of values of size 100 may add up to."""


def process(transition, reward, discount):
    nowhere = np.zeros(len(reward), dtype=bool)
    return Mdp(transition, reward, discount, nowhere)


def solved(process, temperature):
    return soft_q_iteration(process, temperature=temperature, tolerance=1e-9)


def bounds(transition, rewards, discount, temperature):
    """Q*_C, Q_S and C of two rewards."""
    parts = [solved(process(transition, r, discount), temperature) for r in rewards]
    whole = process(transition, (rewards[0] + rewards[1]) / 2, discount)
    logs = [np.log(boltzmann(q, temperature=temperature)) for q in parts]
    gap = table_gap(
        transition,
        renyi_half(*logs, np.zeros(transition.shape[1])),
        discount=discount,
        temperature=temperature,
    )
    return solved(whole, temperature), (parts[0] + parts[1]) / 2, gap


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    states=st.integers(1, 5),
    actions=st.integers(1, 4),
    discount=st.floats(0.1, 0.95),
    temperature=st.floats(0.1, 10),
    size=st.floats(0.1, 5),
)
def test_the_exact_answer_lies_between_the_bounds(
    seed, states, actions, discount, temperature, size
):
    generator = np.random.default_rng(seed)
    transition = generator.dirichlet(np.ones(states), size=(states, actions))
    rewards = size * generator.standard_normal((2, states, actions))
    exact, averaged, gap = bounds(transition, rewards, discount, temperature)
    assert (exact <= averaged + SLACK).all()
    assert (exact >= averaged - gap - SLACK).all()


def test_one_state_by_hand():
    """With one state, C = γ α D / (2 (1 - γ)), and the gap is really that large."""
    rewards = np.array([[[3.0, 0.0]], [[0.0, 3.0]]])
    exact, averaged, gap = bounds(np.ones((1, 2, 1)), rewards, 0.9, 1.0)
    policy = np.exp([3.0, 0.0]) / np.exp([3.0, 0.0]).sum()
    divergence = -2 * np.log(2 * np.sqrt(policy.prod()))
    np.testing.assert_allclose(gap, 9 / 2 * divergence, rtol=1e-6)
    np.testing.assert_allclose(averaged - exact, gap, rtol=1e-5)


def test_equal_tasks_lose_nothing():
    generator = np.random.default_rng(0)
    transition = generator.dirichlet(np.ones(4), size=(4, 3))
    reward = generator.standard_normal((4, 3))
    exact, averaged, gap = bounds(transition, (reward, reward), 0.9, 0.5)
    np.testing.assert_allclose(averaged, exact, atol=SLACK)
    np.testing.assert_allclose(gap, 0, atol=2e-6)  # the tolerance that is added


def test_rewards_times_a_number_are_rewards_at_a_temperature():
    generator = np.random.default_rng(1)
    transition = generator.dirichlet(np.ones(4), size=(4, 3))
    rewards = generator.standard_normal((2, 4, 3))
    _, _, gap = bounds(transition, rewards, 0.8, 1.0)
    _, _, scaled = bounds(transition, 7 * rewards, 0.8, 7.0)
    np.testing.assert_allclose(scaled, 7 * gap, atol=1e-5)


class TestDivergence:
    def test_of_two_gaussians_is_a_quarter_of_their_squared_distance(self):
        """D_½ = (μ₁ - μ₂)² / (4 σ²)."""
        line = np.linspace(-20, 20, 4001)
        logs = [
            -((line - mean) ** 2) / 8 - np.log(2 * np.sqrt(2 * np.pi))
            for mean in (-1.5, 1.5)
        ]
        found = renyi_half(*logs, np.full(4001, np.log(0.01)))
        assert found == pytest.approx(9 / 16, rel=1e-6)

    @given(st.integers(0, 2**32 - 1))
    def test_is_not_negative_and_symmetric(self, seed):
        logits = 3 * np.random.default_rng(seed).standard_normal((2, 6, 5))
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        found = renyi_half(*logs, np.zeros(5))
        assert (found >= -1e-12).all()
        np.testing.assert_allclose(found, renyi_half(*logs[::-1], np.zeros(5)))


class TestPlane:
    SPACING, ALPHA, DISCOUNT = 0.25, 10.0, 0.9

    def task(self, *goals):
        fields = {"goals": goals, "goals_end_episode": False, "discount": 0.9}
        return MultiGoal.model_validate(TASKS["multigoal"] | fields)

    def oracle(self, arena):
        return GridOracle.solve(
            arena, self.ALPHA, discount=self.DISCOUNT, spacing=self.SPACING
        )

    @pytest.fixture
    def pair(self):
        return self.task((4.0, 4.0), (-4.0, 4.0)), self.task((4.0, 4.0), (4.0, -4.0))

    @pytest.mark.slow
    def test_the_combined_oracle_lies_between_the_bounds(self, pair):
        first, second = (self.oracle(Arena.of(each)) for each in pair)
        arena = combined_arena(*pair, "average")
        exact = self.oracle(arena)
        gap = PlaneGap(first, second)
        nodes = np.stack(np.meshgrid(*[np.arange(-7, 7.1, 1.75)] * 2), -1).reshape(
            -1, 2
        )
        action = np.broadcast_to(first.actions, (len(nodes), *first.actions.shape))
        averaged = (first.q(nodes, action) + second.q(nodes, action)) / 2
        loss = averaged - exact.q(nodes, action)
        allowed = gap(arena.advance(nodes[:, None], action)[0])
        assert loss.min() > -1e-4  # iterations to 1e-6, summed by interpolation
        assert (loss <= allowed + 1e-4).all()
        assert loss.max() > 1  # something is really lost
        assert (gap.divergence > -1e-9).all()

    @pytest.mark.slow
    def test_its_divergence_is_that_of_the_policies(self, pair):
        one, other = (self.oracle(Arena.of(each)) for each in pair)
        states = np.array([[0.0, 0.0], [-7.0, 7.0], [2.5, -1.25], [4.0, 4.0]])
        logs = []
        for oracle in (one, other):
            action = np.broadcast_to(oracle.actions, (4, *oracle.actions.shape))
            energy = oracle.q(states, action) - oracle.value(states)[:, None]
            logs.append(energy / oracle.temperature)
        expected = renyi_half(*logs, one.log_weights)
        node = np.rint((states + 7) / self.SPACING).astype(int)
        found = PlaneGap(one, other).divergence[tuple(node.T)]
        # Values are iterated to 1e-6, divided by half the temperature.
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_tasks_that_end_are_refused(self):
        oracle = self.oracle(Arena.of(MultiGoal.model_validate(TASKS["multigoal"])))
        with pytest.raises(ValueError, match="no goal ends"):
            PlaneGap(oracle, oracle)

    def test_it_is_the_fixed_point_of_its_equation(self, pair):
        first, second = (self.oracle(Arena.of(each)) for each in pair)
        gap = PlaneGap(first, second)
        axis = np.arange(-7, 7.1, self.SPACING)
        nodes = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
        arrived = gap(nodes)  # C of the actions that lead to each node
        padded = np.pad(arrived, 4, mode="edge")  # a move is at most four nodes long
        windows = sliding_window_view(padded, (9, 9)).max(axis=(2, 3))
        due = self.ALPHA / 2 * gap.divergence + windows
        # Twice the tolerance to which it is iterated and that is added.
        np.testing.assert_allclose(arrived, self.DISCOUNT * due, rtol=0, atol=2e-6)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"temperature": 9.0}, "one temperature, found 10.0 and 9.0"),
            ({"discount": 0.8}, "one discount, found 0.9 and 0.8"),
            ({"spacing": 0.2}, r"one grid, found \(57, 57\) and \(71, 71\)"),
            ({"scale": 0.5}, "one effort, found 30.0 and 15.0"),
            ({"walls": np.array([[[2.0, 2.0], [3.0, 3.0]]])}, "one set of walls"),
        ],
    )
    def test_oracles_that_do_not_fit_are_refused(self, pair, changes, said):
        arena = Arena.of(pair[0])
        own = {"temperature": 10.0, "discount": 0.9, "spacing": self.SPACING}
        solving = {key: changes.get(key, value) for key, value in own.items()}
        plane = {key: value for key, value in changes.items() if key not in own}
        other = GridOracle.solve(dataclasses.replace(arena, **plane), **solving)
        with pytest.raises(ValueError, match=said):
            PlaneGap(self.oracle(arena), other)


def test_a_discount_that_float64_does_not_resolve_is_refused():
    with pytest.raises(ValueError, match="finer than float64 resolves"):
        table_gap(np.ones((1, 1, 1)), np.ones(1), discount=1 - 1e-9, temperature=1.0)


@pytest.mark.parametrize(
    ("discount", "temperature", "said"),
    [
        (1.0, 1.0, "between 0 and 1, found 1"),
        (0.9, 0.0, "temperature is 0.0; it must be above 0"),
    ],
)
def test_impossible_numbers_are_refused(discount, temperature, said):
    with pytest.raises(ValueError, match=said):
        table_gap(
            np.ones((1, 1, 1)), np.ones(1), discount=discount, temperature=temperature
        )
