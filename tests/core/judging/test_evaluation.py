from itertools import pairwise

import numpy as np
import pytest
import torch

from pipeline.core.judging.evaluation import Evaluator, summary
from pipeline.core.tasks.multigoal.arena import BOUND, Arena
from pipeline.core.tasks.multigoal.metrics import steps_to_all_goals
from pipeline.core.tasks.trajectories import Trajectories
from tests.core.configs import task
from tests.core.updating import fresh


def ended_at(points, *, reached):
    """One member whose episodes start at the origin and end at `points`."""
    points = np.asarray(points, dtype=float)
    path = np.stack([np.zeros_like(points), points], axis=1)[None]
    count = len(points)
    return Trajectories(
        returns=np.zeros((1, count)),
        lengths=np.ones((1, count), dtype=int),
        terminated=np.asarray(reached)[None],
        positions=path,
    )


class TestMultiGoal:
    def test_a_balanced_policy_scores_one(self):
        points = [(5, 0), (-5, 0), (0, 5), (0, -5)]
        numbers = summary(task("multigoal"), ended_at(points, reached=[True] * 4))
        assert numbers["multi_goal_score"] == [1.0]
        assert numbers["goals_reached"] == [4.0]
        assert numbers["goal_entropy"][0] == pytest.approx(np.log(4))
        assert [numbers[f"goal_{i}"][0] for i in range(4)] == [0.25] * 4

    def test_a_policy_with_one_goal_scores_a_quarter(self):
        points = [(4.5, 0.1)] * 8
        numbers = summary(task("multigoal"), ended_at(points, reached=[True] * 8))
        assert numbers["multi_goal_score"] == [0.25]
        assert numbers["goals_reached"] == [1.0]
        assert numbers["goal_entropy"] == [0.0]

    def test_being_near_is_not_arriving(self):
        points = [(5, 0), (0, 3)]
        numbers = summary(task("multigoal"), ended_at(points, reached=[True, False]))
        assert numbers["success"] == [0.5]
        assert numbers["multi_goal_score"] == [0.25]


class TestNavigation:
    def test_opposite_directions_are_spread_and_one_is_not(self):
        both = ended_at([(3, 0), (-3, 0)], reached=[False] * 2)
        numbers = summary(task("swimmer"), both)
        assert numbers["distance"] == [3.0]
        assert numbers["forward_distance"] == [0.0]
        assert numbers["direction_spread"][0] == pytest.approx(1 / 3)
        # Swimming far one way and twitching the other is one way, of every second.
        twitch = ended_at([(4, 0), (-0.1, 0)], reached=[False] * 2)
        spread = summary(task("swimmer"), twitch)["direction_spread"]
        assert spread[0] == pytest.approx(0.0)
        one = ended_at([(0, 2), (0, 1)], reached=[False] * 2)
        spread = summary(task("swimmer"), one)["direction_spread"]
        assert spread[0] == pytest.approx(0.0)


@pytest.fixture
def population():
    return fresh("sac")


def test_an_evaluation_is_repeatable_and_belongs_to_its_block(population):
    evaluator = Evaluator(task("multigoal"), (0, 1), episodes=5)
    first = evaluator(population, block=3)
    other = evaluator(population, block=4)
    again = evaluator(population, block=3)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert not np.array_equal(first.returns, other.returns)


def test_an_evaluation_leaves_the_population_alone(population):
    before = {k: v.clone() for k, v in population.state().items()}
    Evaluator(task("multigoal"), (0, 1), episodes=5)(population, block=0)
    for key, value in population.state().items():
        assert torch.equal(value, before[key])


def test_positions_end_where_the_episode_ends(population):
    found = Evaluator(task("multigoal"), (0, 1), episodes=5)(population, block=0)
    for member in range(2):
        for episode in range(5):
            length = found.lengths[member, episode]
            path = found.positions[member, episode]
            assert np.isfinite(path[: length + 1]).all()
            assert np.isnan(path[length + 1 :]).all()
            np.testing.assert_array_equal(
                found.last_positions[member, episode], path[length]
            )


def test_steps_to_all_goals_are_those_of_the_first_evaluation_after_learning_began():
    goals = [[4.0, 0.0, 4.0], [4.0, 3.0, 1.0], [4.0, 4.0, 3.0], [2.0, 4.0, 2.0]]
    steps = np.array([0.0, 100.0, 200.0, 300.0])
    found = steps_to_all_goals(steps, np.array(goals), goals=4, after=50)
    np.testing.assert_equal(found, [100.0, 200.0, np.nan])


def judged_by(policy):
    judged = task("multigoal").evaluation.model_copy(update={"policy": policy})
    return task("multigoal").model_copy(update={"evaluation": judged})


@pytest.mark.parametrize("policy", ["sample", "greedy"])
def test_an_evaluation_is_what_single_environments_stepped_by_hand_give(
    policy, population
):
    config = judged_by(policy)
    found = Evaluator(config, (0, 1), episodes=5)(population, block=3)
    checked = 0
    for member in range(2):
        for episode in range(5):
            length = found.lengths[member, episode]
            path = found.positions[member, episode, : length + 1]
            if np.abs(path).max() >= BOUND:
                continue  # at a wall, the displacement is not the action
            checked += 1
            total = 0.0
            for before, after in pairwise(path):
                position, reward, _ = Arena.of(config).advance(before, after - before)
                np.testing.assert_allclose(position, after)
                total += float(reward)
            assert found.returns[member, episode] == pytest.approx(total, rel=1e-4)
    assert checked >= 3


@pytest.mark.parametrize("at_once", [1, 4, 6, 8])
def test_episodes_do_not_depend_on_how_many_there_are_at_once(
    at_once, population, monkeypatch
):
    config = task("multigoal")
    whole = Evaluator(config, (0, 1), episodes=5)(population, block=3)
    most = []

    def environments(self, count):
        most.append(count)
        return made(self, count)

    made = type(config).environments
    monkeypatch.setattr(type(config), "environments", environments)
    monkeypatch.setattr(type(config), "at_once", at_once)
    evaluator = Evaluator(config, (0, 1), episodes=5)
    for _ in range(2):
        parts = evaluator(population, block=3)
        np.testing.assert_array_equal(parts.lengths, whole.lengths)
        np.testing.assert_array_equal(parts.terminated, whole.terminated)
        np.testing.assert_allclose(parts.returns, whole.returns, rtol=1e-5)
        np.testing.assert_allclose(parts.positions, whole.positions, atol=1e-5)
    assert max(most) <= max(2, at_once)  # one of each member in any case


def test_environments_that_are_objects_are_not_all_there_at_once(monkeypatch):
    pendulum = task("pendulum")
    monkeypatch.setattr(type(pendulum), "at_once", 7)
    agent = fresh("sac", states=3, actions=1)
    parts = Evaluator(pendulum, (0, 1), episodes=8)(agent, block=0)
    monkeypatch.undo()
    whole = Evaluator(pendulum, (0, 1), episodes=8)(agent, block=0)
    np.testing.assert_allclose(parts.returns, whole.returns, rtol=1e-4)
    assert task("pendulum").at_once == 500


def test_greedy_evaluations_have_no_noise(population):
    found = Evaluator(judged_by("greedy"), (0, 1), episodes=2)(population, block=0)
    for member in range(2):
        path = found.positions[member, 0]
        state = torch.tensor(path[0], dtype=torch.float32).expand(2, 1, 2)
        action = population.greedy(state)[member, 0].numpy()
        np.testing.assert_allclose(path[1] - path[0], action, atol=1e-6)


class TestOtherGoals:
    def judged(self, points, **fields):
        config = task("multigoal").model_copy(update=fields)
        return summary(config, ended_at(points, reached=[False] * len(points)))

    def test_each_of_n_goals_has_an_equal_share(self):
        goals = ((4.0, 4.0), (-4.0, 4.0))
        points = [(4, 4), (4, 3.5), (-4, 4), (0, 0)]
        numbers = self.judged(points, goals=goals, goals_end_episode=False)
        assert [numbers["goal_0"], numbers["goal_1"]] == [[0.5], [0.25]]
        assert "goal_2" not in numbers
        assert numbers["multi_goal_score"] == [0.75]
        assert numbers["goals_reached"] == [2.0]
        assert numbers["success"] == [0.75]

    def test_only_the_last_place_of_an_episode_counts(self):
        """Where goals do not end it: passing through a goal is not ending in it."""
        path = np.array([[[[0, 0], [4, 4], [0, 0]], [[0, 0], [0, 0], [4, 4]]]])
        found = Trajectories(
            returns=np.zeros((1, 2)),
            lengths=np.full((1, 2), 2),
            terminated=np.zeros((1, 2), dtype=bool),
            positions=path.astype(float),
        )
        config = task("multigoal").model_copy(
            update={"goals": ((4.0, 4.0),), "goals_end_episode": False}
        )
        assert summary(config, found)["success"] == [0.5]
