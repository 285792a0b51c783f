import dataclasses

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import logsumexp

from pipeline.core.exact.composition_bound import PlaneGap
from pipeline.core.exact.grid import GridOracle
from pipeline.core.tasks.multigoal.arena import Arena
from pipeline.core.tasks.multigoal.combination import combined_arena
from pipeline.core.tasks.multigoal.settings import MultiGoal
from tests.core.configs import TASKS


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
        half = (logs[0] + logs[1]) / 2
        expected = -2 * logsumexp(half + one.log_weights, axis=-1)
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
