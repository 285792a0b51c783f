"""Bodies in worlds."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.core.tasks import navigation
from pipeline.core.tasks.directions import direction_spread
from pipeline.core.tasks.navigation import ways
from pipeline.core.tasks.navigation.bodies import BODIES
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.trajectories import Trajectories
from pipeline.study.params.load import load_study
from tests.core.configs import TASKS

SHIPPED = load_study(Path(__file__).parents[3] / "studies" / "worlds.yaml")
WALLED = TASKS["passages"]["world"]
OPEN = {"half_width": 8.0, "start": (0.0, 0.0)}


def navigated(base="passages", **fields):
    return TypeAdapter(Navigation).validate_python(TASKS[base] | fields)


def steps(task, *actions, start=None):
    """States, rewards and ends of a sequence of actions."""
    scene = task.scene
    state = scene.body.at(np.array(task.place.start if start is None else start))
    made = []
    for action in actions:
        state, reward, ended = scene.advance(state, np.array(action))
        made.append((state, float(reward), bool(ended)))
    return made


@pytest.mark.parametrize("name", SHIPPED.tasks)
def test_gymnasium_accepts_every_shipped_world(name):
    task = SHIPPED.tasks[name]
    made = gymnasium.make(navigation.NAME, task=task.model_dump(mode="json"))
    check_env(made.unwrapped, skip_render_check=True)
    made.reset(seed=0)
    still = np.zeros(2)
    cut = [made.step(still)[3] for _ in range(task.horizon)]
    assert cut == [False] * (task.horizon - 1) + [True]


@pytest.mark.parametrize("base", ["passages", "momentum"])
def test_many_bodies_move_as_each_alone(base):
    task = navigated(base)
    many = task.environments(3)
    singles = [
        gymnasium.make(navigation.NAME, task=task.model_dump(mode="json"))
        for _ in range(3)
    ]
    observation, _ = many.reset(seed=[5, 6, 7])
    alone = [env.reset(seed=5 + i)[0] for i, env in enumerate(singles)]
    np.testing.assert_allclose(observation, alone)
    generator = np.random.default_rng(0)
    for _ in range(6):
        action = generator.uniform(-1, 1, size=(3, 2))
        observation, reward, ended, _, info = many.step(action)
        for i, env in enumerate(singles):
            theirs = env.step(action[i])
            np.testing.assert_allclose(observation[i], theirs[0])
            assert (reward[i], ended[i]) == (pytest.approx(theirs[1]), theirs[2])
            np.testing.assert_allclose(info["position"][i], theirs[4]["position"])


class TestBodies:
    def test_a_point_is_displaced(self):
        (state, _, _), *_ = steps(navigated(), (0.5, -1.0))
        np.testing.assert_allclose(state, (-2.5, -1.0))

    def test_a_move_into_a_wall_is_not_made(self):
        made = steps(navigated(), (1.0, 0.0), (1.0, 0.0), (0.5, 0.0))
        assert [state[0] for state, _, _ in made] == [-2.0, -2.0, -1.5]

    @given(st.floats(-1, 1), st.floats(-1, 1))
    def test_momentum_tends_to_the_speed_that_is_asked_for(self, a, b):
        made = steps(navigated("momentum"), *[(a, b)] * 8)
        asked = np.array([a, b]) / max(1.0, np.hypot(a, b))
        state, *_ = made[-1]
        np.testing.assert_allclose(state[2:], asked * (1 - 0.9**8), atol=1e-12)
        way = sum(1 - 0.9**step for step in range(1, 9))
        np.testing.assert_allclose(state[:2], 0.25 * asked * way, atol=1e-12)

    def test_a_wall_stops_what_has_momentum(self):
        task = navigated("momentum", world=WALLED)
        made = steps(task, *[(1.0, 0.0)] * 60)
        places = np.array([state for state, _, _ in made])
        assert places[:, 0].max() < -1.0
        stopped = np.flatnonzero(np.diff(places[:, 0]) == 0)
        assert stopped.size
        np.testing.assert_array_equal(places[stopped[0] + 1, 2:], 0.0)

    @pytest.mark.parametrize("body", BODIES)
    def test_what_is_observed_stays_in_its_box(self, body):
        task = navigated("momentum", body=body, world=WALLED, horizon=200)
        made = gymnasium.make(navigation.NAME, task=task.model_dump(mode="json"))
        made.reset(seed=0)
        for _ in range(200):
            observation, *_ = made.step(made.action_space.sample())
            assert made.observation_space.contains(observation)


class TestRewards:
    @pytest.mark.parametrize(
        ("speed", "action", "worth"),
        [
            ("any", (-0.6, 0.8), 1.0),
            ("either_way", (-0.6, 0.8), 0.6),
            ("forward", (-0.6, 0.8), -0.6),
        ],
    )
    def test_speed_is_paid_in_its_direction(self, speed, action, worth):
        reward = {"speed": speed, "effort": 0.5}
        for body, share in (("point", 1.0), ("point_with_momentum", 0.1)):
            task = navigated("momentum", body=body, reward=reward)
            (_, paid, _), *_ = steps(task, action)
            assert paid == pytest.approx(share * worth - 0.5)

    def test_a_blocked_move_is_no_speed(self):
        task = navigated(reward={"speed": "any", "effort": 0.0}, end="never")
        (_, paid, _), *_ = steps(task, (1.0, 0.0), start=(-1.5, 0.0))
        assert paid == 0.0

    def test_more_is_paid_past_the_line(self):
        made = steps(
            navigated("momentum", body="point"), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0)
        )
        assert [paid for _, paid, _ in made] == pytest.approx([0.9, 1.9, 1.9])

    def test_bumps_add_up(self):
        (_, paid, _), *_ = steps(navigated(), (0.0, 0.0))
        expected = np.exp(-36 / 8) + np.exp(-18 / 8)
        assert paid == pytest.approx(expected)

    def test_goals_pay_where_they_are_and_cost_elsewhere(self):
        task = navigated(
            reward={"goals": {"bonus": 10.0, "step_cost": 1.0}, "effort": 0.0}
        )
        made = steps(task, (0.0, 0.0), start=(3.0, 0.5))
        assert made[0][1:] == (9.0, True)
        assert steps(task, (0.0, 0.0))[0][1:] == (-1.0, False)


class TestWays:
    def test_the_threshold_is_where_the_blocked_passage_ends(self):
        world = SHIPPED.worlds["two_passages"]
        assert ways.threshold(world) == pytest.approx(np.hypot(4.0, 1.5))

    def test_nobody_comes_nearer_without_the_open_passage(self):
        task = SHIPPED.tasks["two_passages"]
        world = task.place
        shut = world.model_copy(update={"walls": world.walls + world.passages.open})
        scene = task.model_copy(update={"world": shut}).scene
        state = np.tile((2.0, 2.5), (2000, 1))
        generator = np.random.default_rng(0)
        nearest = np.inf
        for _ in range(30):
            state, _, _ = scene.advance(state, generator.uniform(-1, 1, state.shape))
            nearest = min(nearest, np.linalg.norm(state - (7.0, 0.0), axis=1).min())
        assert ways.threshold(world) < nearest < ways.threshold(world) + 0.1

    def test_shipped_worlds_have_no_mistake(self):
        for world in SHIPPED.worlds.values():
            assert not [*ways.mistakes(world)]


class TestDirections:
    def moved(self, *angles, length=2.0):
        each = np.array(angles)
        return length * np.stack([np.cos(each), np.sin(each)], axis=-1)[None]

    def test_every_way_alike_is_one(self):
        turns = np.arange(16) * np.pi / 8 + 0.1
        assert direction_spread(self.moved(*turns))[0] == pytest.approx(1.0)

    def test_one_way_is_none(self):
        assert direction_spread(self.moved(*[0.3] * 9))[0] == pytest.approx(0.0)

    def test_two_ways_are_a_third(self):
        spread = direction_spread(self.moved(*[0.0, np.pi] * 5))[0]
        assert spread == pytest.approx(np.log(2) / np.log(8))

    def test_who_hardly_moves_does_not_spread(self):
        turns = np.arange(16) * np.pi / 8
        assert direction_spread(self.moved(*turns, length=0.99))[0] == 0.0


class TestMetrics:
    def seen(self, *paths):
        positions = np.array([paths], dtype=float)
        lengths = (np.isfinite(positions[..., 0]).sum(axis=2) - 1).astype(int)
        nothing = np.zeros(lengths.shape)
        return Trajectories(nothing, lengths, nothing.astype(bool), positions)

    def test_episodes_say_how_near_and_how_far_they_come(self):
        gone = (np.nan, np.nan)
        found = navigated().metrics(
            self.seen(
                [(-3.0, 0.0), (2.5, 0.0), (1.5, 0.0)],
                [(-3.0, 0.0), (0.0, 2.5), gone],
            )
        )
        assert found["success"] == [1.0]
        assert found["target_distance"] == pytest.approx([0.5])
        assert found["past_line"] == [0.0]
        assert found["forward_distance"] == pytest.approx([3.75])
        assert found["goal_1"] == [0.5]

    def test_of_a_line_it_is_said_which_way_episodes_end(self):
        ends = [2.0, -1.0, -0.9, 1.0]
        seen = self.seen(*([(0.0, 0.0), (end, 0.0)] for end in ends))
        speed = {"speed": "either_way", "effort": 0.0}
        either_way = navigated("momentum", world=OPEN, reward=speed)
        any_way = {"world": OPEN, "reward": speed | {"speed": "any"}}
        found = either_way.metrics(seen)
        assert (found["forward"], found["backward"]) == ([0.5], [0.25])
        assert either_way.ways == ("forward", "backward")
        assert either_way.of_failed("backward") == 0
        runner = navigated("momentum", body="half_cheetah", **any_way)
        assert runner.ways == ("forward", "backward")
        in_plane = navigated("momentum", **any_way)
        assert in_plane.ways == ()
        assert "forward" not in in_plane.metrics(seen)

    def test_what_is_left_is_to_the_nearest_target_and_to_the_line(self):
        left = navigated().remaining(np.array([[0.0, 0.0], [2.5, 0.0]]))
        np.testing.assert_allclose(left["closest"], [3.0, 0.5])
        np.testing.assert_allclose(left["to_line"], [2.0, -0.5])
