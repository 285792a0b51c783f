import numpy as np
import pytest

from pipeline.core.exact import hard
from pipeline.core.exact.gridworld import MOVES, TWO_WAYS, GridWorld
from pipeline.core.exact.tabular import boltzmann, soft_q_iteration

ROW = "S.#G"


def two_ways(*, slip):
    world = GridWorld.of(TWO_WAYS)
    mdp = world.mdp(discount=0.95, slip=slip, step_cost=1.0, goal_reward=20.0)
    return world, mdp


def mirrored(world):
    """The state of each cell's mirror image, above for below."""
    number = {(x, y): state for state, (x, y) in enumerate(world.cells.tolist())}
    return [number[x, world.rows - 1 - y] for x, y in world.cells.tolist()]


class TestTwoWays:
    @pytest.mark.parametrize("slip", [0.0, 0.2])
    def test_above_and_below_are_worth_the_same(self, slip):
        world, mdp = two_ways(slip=slip)
        q = soft_q_iteration(mdp, temperature=0.5, tolerance=1e-9)
        names = list(MOVES)
        swap = [names.index(name) for name in ("right", "down", "left", "up")]
        np.testing.assert_allclose(q, q[mirrored(world)][:, swap], atol=1e-9)

    def test_a_warm_policy_takes_both_ways_and_a_greedy_one_a_single_one(self):
        world, mdp = two_ways(slip=0.0)
        q = soft_q_iteration(mdp, temperature=0.05, tolerance=1e-9)
        up, down = list(MOVES).index("up"), list(MOVES).index("down")
        policy = boltzmann(q, temperature=0.05)[world.start]
        assert policy[up] == pytest.approx(policy[down])
        assert policy[up] > 0.3  # the third best is a step to the wall, as long a way
        assert hard.greedy(q)[world.start].max() == 1.0

    def test_the_shortest_way_has_ten_steps(self):
        world, mdp = two_ways(slip=0.0)
        best = hard.value_iteration(mdp, tolerance=1e-9)[world.start].max()
        steps = 10
        expected = 20 * 0.95 ** (steps - 1) - (1 - 0.95**steps) / 0.05
        assert best == pytest.approx(expected, abs=1e-8)


class TestGridWorld:
    def test_cells_count_from_the_lowest_row(self):
        world = GridWorld.of("S#\n.G")
        assert world.cells.tolist() == [[0, 0], [1, 0], [0, 1]]
        assert (world.start, world.goal) == (2, 1)

    def test_values_come_back_as_a_picture_with_walls(self):
        world = GridWorld.of("S#\n.G")
        grid = world.on_grid(np.array([1.0, 2.0, 3.0]))
        np.testing.assert_array_equal(grid, [[1.0, 2.0], [3.0, np.nan]])

    def test_walls_and_borders_keep_one_where_one_is(self):
        world = GridWorld.of(ROW)
        mdp = world.mdp(discount=0.9, slip=0.0, step_cost=1.0, goal_reward=5.0)
        moves = mdp.transition.argmax(axis=-1)  # right, up, left, down
        assert moves.tolist() == [[1, 0, 0, 0], [1, 1, 0, 1], [2, 2, 2, 2]]
        assert (mdp.reward[:2] == -1).all()

    def test_a_slip_is_an_evenly_drawn_action(self):
        world = GridWorld.of("S.G")
        mdp = world.mdp(discount=0.9, slip=0.4, step_cost=1.0, goal_reward=5.0)
        # right with .6, and each of the four with .1: two of them stay
        assert mdp.transition[1, 0] == pytest.approx([0.1, 0.2, 0.7])
        assert mdp.reward[1, 0] == pytest.approx(0.7 * 5 - 1)
        assert mdp.reward[world.goal].tolist() == [0, 0, 0, 0]
