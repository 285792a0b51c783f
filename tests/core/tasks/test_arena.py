"""The plane of multigoal: walls, pushes, other goals, and the released task."""

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.tasks.episodes import Episodes, member_seeds
from pipeline.core.tasks.geometry import crosses, distances, nearest
from pipeline.core.tasks.multigoal.arena import FOUR_GOALS, Arena, start
from pipeline.core.tasks.multigoal.settings import MultiGoal, Push
from tests.core.configs import TASKS, task

inside = st.floats(-7, 7)
points = st.tuples(inside, inside)
moves = st.tuples(st.floats(-1, 1), st.floats(-1, 1))


def changed(**fields):
    return MultiGoal.model_validate(TASKS["multigoal"] | fields)


def walled(*boxes):
    return Arena.of(changed(walls=tuple({"low": a, "high": b} for a, b in boxes)))


BETWEEN = walled(((2.0, -1.5), (2.6, 1.5)))
"""A wall across the way to (5, 0)."""


def test_the_released_task_is_what_it_was_to_the_last_bit():
    """Its dynamics written out, beside the environment; seed and stream included."""
    goals = np.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0], [0.0, -5.0]])
    env = gymnasium.make_vec(
        "maxent/MultiGoal-v0",
        num_envs=1,
        vectorization_mode="vector_entry_point",
        arena=Arena.of(task("multigoal")),
    )
    observation, _ = env.reset(seed=[3])
    position = 0.1 * np.random.default_rng(3).standard_normal((1, 2))
    actions = np.random.default_rng(4).uniform(-1.5, 1.5, size=(200, 1, 2))
    ends = 0
    for action in actions.astype(np.float32):
        assert (observation == position).all()
        observation, reward, ended, _, _ = env.step(action)
        action = np.clip(action, -1.0, 1.0)
        position = np.clip(position + action, -7.0, 7.0)
        distance = np.linalg.norm(position[:, None] - goals, axis=-1).min(axis=-1)
        effort = 30.0 * np.square(action).sum(axis=-1)
        assert reward == 10.0 * (distance < 1.0) - effort - np.square(distance)
        assert ended == (distance < 1.0)
        ends += int(ended[0])
    assert ends > 0


def test_a_reward_is_that_of_the_place_less_the_effort():
    position, action = np.array([[0.0, 3.5]]), np.array([[0.0, 1.0]])
    after, reward, _ = FOUR_GOALS.advance(position, action)
    assert FOUR_GOALS.reward_at(after) == pytest.approx(10 - 0.25)
    assert reward == pytest.approx(FOUR_GOALS.reward_at(after) - 30)


def test_objectives_are_added_and_scaled():
    first, second = np.array([[4.0, 4.0], [-4.0, 4.0]]), np.array([[4.0, -4.0]])
    both = Arena((first, second), 0.5, np.zeros((0, 2, 2)), False, None)
    after, reward, ended = both.advance(np.array([3.5, 3.5]), np.array([0.5, 0.5]))
    # In a goal of the first; 8 away from the only goal of the second.
    assert reward == pytest.approx(0.5 * (10 - 15) + 0.5 * (-64 - 15))
    assert both.inside(after).tolist() == [True, False]
    assert not ended


def test_goals_that_do_not_end_the_episode_pay_as_long_as_one_stays():
    arena = Arena.of(changed(goals_end_episode=False))
    _, reward, ended = arena.advance(np.array([5.0, 0.0]), np.zeros(2))
    assert (reward, ended) == (10.0, False)


class TestWalls:
    @pytest.mark.parametrize(
        ("here", "stop", "met"),
        [
            ((1.5, 0), (2.5, 0), True),  # into it
            ((1.5, 0), (3.5, 0), True),  # through it
            ((1.5, 0), (2.0, 0), True),  # it is closed
            ((1.5, 0), (1.9, 0), False),
            ((1.5, 1.5), (3.5, 1.5), True),  # along its side
            ((1.5, 1.6), (3.5, 1.6), False),
            ((2.3, 2.5), (2.3, 1.0), True),  # without a move along x
            ((1.9, 2.5), (1.9, -2.5), False),  # without one, and beside it
            ((1.5, 1.1), (2.1, 1.7), False),  # past its corner
            ((1.5, 1.0), (2.0, 1.5), True),  # to its corner
            ((1.5, 0), (1.5, 0), False),  # no move
        ],
    )
    def test_a_way_that_touches_a_wall_is_known(self, here, stop, met):
        found = crosses(np.array(here), np.array(stop), BETWEEN.walls)
        assert found == met
        back = crosses(np.array(stop), np.array(here), BETWEEN.walls)
        assert back == met

    def test_a_move_that_meets_a_wall_is_not_made_but_paid(self):
        here = np.array([1.5, 0.5])
        after, reward, _ = BETWEEN.advance(here, np.array([1.0, 0.0]))
        assert after.tolist() == [1.5, 0.5]
        assert reward == pytest.approx(-30 - (3.5**2 + 0.5**2))

    @given(points, moves)
    @example((1.0, 0.0), (1.0, 0.0))
    @example((3.6, 1.6), (-1.0, -0.1))
    def test_nobody_is_ever_in_a_wall(self, place, move):
        (low, high), here = BETWEEN.walls[0], np.array(place)
        assume(not ((low <= here) & (here <= high)).all())
        after, _, _ = BETWEEN.advance(here, np.array(move))
        assert not ((low <= after) & (after <= high)).all()

    @given(points, moves)
    def test_a_way_meets_a_wall_if_one_of_its_points_is_inside(self, place, move):
        here = np.array(place)
        stop = here + np.array(move)
        on_the_way = here + np.linspace(0, 1, 101)[:, None] * (stop - here)
        low, high = BETWEEN.walls[0]
        # A hair inside, because points on the way are rounded.
        deep = (low + 1e-9 < on_the_way) & (on_the_way < high - 1e-9)
        if deep.all(axis=1).any():
            assert crosses(here, stop, BETWEEN.walls)
        far = (low - 0.02 > on_the_way) | (on_the_way > high + 0.02)
        # Steps on the way are at most .0142 long: none within .02 means none touches.
        if far.any(axis=1).all():
            assert not crosses(here, stop, BETWEEN.walls)

    def test_each_of_several_walls_stops(self):
        arena = walled(((2, -1), (3, 1)), ((-3, -1), (-2, 1)))
        here = np.array([[1.5, 0.0], [-1.5, 0.0], [0.0, 1.5]])
        way = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
        after, _, _ = arena.advance(here, way)
        assert (after == here).all(axis=1).tolist() == [True, True, False]


class TestPush:
    def play(self, distance, steps=4, seed=0, walls=()):
        pushed = changed(push={"step": 2, "distance": distance}, walls=walls)
        episodes = Episodes(pushed, 3, member_seeds((seed, 1, 2), "environment"))
        episodes.reset()
        path = [episodes.positions.copy()]
        rewards = []
        for _ in range(steps):
            made = episodes.step(torch.zeros(3, 2))
            rewards.append(made.reward)
            path.append(episodes.positions.copy())
        return np.array(path), np.array(rewards)

    def test_displaces_once_by_its_distance_and_each_environment_its_own_way(self):
        path, _ = self.play(2.0)
        step = np.diff(path, axis=0)
        length = np.linalg.norm(step, axis=-1)
        np.testing.assert_allclose(length[1], 2.0, rtol=1e-12)
        assert (length[[0, 2, 3]] == 0).all()
        directions = step[1] / 2.0
        assert (directions @ directions.T)[np.triu_indices(3, 1)].max() < 0.999

    def test_belongs_to_the_seed(self):
        first, again, other = self.play(2.0), self.play(2.0), self.play(2.0, seed=9)
        np.testing.assert_array_equal(first[0], again[0])
        assert (first[0][2, 0] != other[0][2, 0]).any()
        np.testing.assert_array_equal(first[0][:, 1:], other[0][:, 1:])

    def test_the_step_is_judged_where_the_push_has_left_the_point(self):
        path, rewards = self.play(2.0)
        for place, reward in zip(path[1:], rewards, strict=True):
            np.testing.assert_allclose(reward, FOUR_GOALS.reward_at(place), rtol=1e-12)

    def test_every_direction_is_equally_likely(self):
        many = changed(push={"step": 1, "distance": 2.0})
        episodes = Episodes(many, 400, member_seeds(range(400), "environment"))
        episodes.reset()
        before = episodes.positions.copy()
        episodes.step(torch.zeros(400, 2))
        mean = ((episodes.positions - before) / 2).mean(axis=0)
        # A coordinate of a unit vector has variance 1/2: four standard errors.
        assert np.abs(mean).max() < 4 * (0.5 / 400) ** 0.5

    def test_stays_in_the_plane_and_is_stopped_by_walls(self):
        path, _ = self.play(30.0)
        assert np.abs(path[2]).max() == 7.0
        ring = [((1, -1.5), (1.5, 1.5)), ((-1.5, -1.5), (-1, 1.5))]
        ring += [((-1.5, 1), (1.5, 1.5)), ((-1.5, -1.5), (1.5, -1))]
        walls = tuple({"low": low, "high": high} for low, high in ring)
        path, _ = self.play(2.0, walls=walls)
        np.testing.assert_array_equal(path[2], path[1])

    def test_the_single_environment_is_pushed_too(self):
        arena = Arena.of(changed(push={"step": 2, "distance": 1.5}))
        env = gymnasium.make("maxent/MultiGoal-v0", arena=arena)
        here, _ = env.reset(seed=0)
        for step in (1, 2, 3):
            after, *_ = env.step(np.zeros(2))
            moved = np.linalg.norm(after - here)
            assert moved == pytest.approx(1.5 if step == 2 else 0.0)
            here = after


def test_an_episode_with_a_push_and_walls_continues_exactly():
    full = changed(
        push={"step": 3, "distance": 2.0}, walls=({"low": (2, -1), "high": (3, 1)},)
    )
    first, second = (
        Episodes(full, 3, member_seeds((0, 1, 2), "environment")) for _ in range(2)
    )
    generator = torch.Generator().manual_seed(0)
    first.reset()
    for step in range(17):
        made = first.step(2 * torch.rand(3, 2, generator=generator) - 1)
        first.next((made.terminated | made.truncated) | (step == np.array([1, 2, 9])))
    second.load_state({k: v.clone() for k, v in first.state().items()})
    for _ in range(12):
        assert torch.equal(first.observation, second.observation)
        action = 2 * torch.rand(3, 2, generator=generator) - 1
        for episodes in (first, second):
            made = episodes.step(action)
            episodes.next(made.terminated | made.truncated)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"goals": ()}, "at least 1"),
            ({"goals": ((8.0, 0.0),)}, "less than or equal to 7"),
            ({"goals": ((5.0, 0.0), (5.0, 0.0))}, "different places"),
            ({"walls": ({"low": (4, -1), "high": (6, 1)},)}, r"also \(5, 0\)"),
            ({"walls": ({"low": (5, 0), "high": (6, 1)},)}, r"also \(5, 0\)"),
            ({"walls": ({"low": (0.5, -1), "high": (1, 1)},)}, "where episodes start"),
            ({"walls": ({"low": (3, 1), "high": (4, 1)},)}, "greater than `low`"),
            ({"push": {"step": 0, "distance": 1.0}}, "greater than 0"),
            ({"push": {"step": 1, "distance": 0.0}}, "greater than 0"),
        ],
    )
    def test_what_cannot_be_is_refused(self, fields, said):
        with pytest.raises(ValidationError, match=said):
            changed(**fields)

    def test_a_wall_may_stand_close_to_the_start(self):
        arena = walled(((0.51, -1), (1, 1)))
        assert arena.walls.tolist() == [[[0.51, -1], [1, 1]]]

    def test_no_start_is_further_out_than_walls_may_come(self):
        class Extreme(np.random.Generator):
            def standard_normal(self, size):
                return np.array([7.0, -0.3])

        found = start(Extreme(np.random.PCG64(0)))
        np.testing.assert_allclose(found, [0.5, -0.03], rtol=1e-12)

    def test_a_push_is_read(self):
        assert changed(push={"step": 3, "distance": 2.0}).push == Push(
            step=3, distance=2.0
        )


def test_the_distance_to_the_nearest_goal_is_the_least_of_all_to_the_last_bit():
    places = np.random.default_rng(0).uniform(-7, 7, (5, 40, 2))
    goals = np.array([[5.0, 0.0], [-5.0, 0.0], [0.1, 5.3]])
    least = distances(places, goals).min(axis=-1)
    np.testing.assert_array_equal(nearest(places, goals), least)
