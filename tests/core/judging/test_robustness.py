"""Robustness of policies whose success is known: they walk straight, or nowhere."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pipeline.core.judging.evaluation import SHOWN_EPISODES, Evaluator
from pipeline.core.judging.robustness import robustness
from pipeline.core.tasks.multigoal.settings import MultiGoal
from tests.core.configs import TASKS
from tests.core.updating import fresh

CONFIG = TASKS["multigoal"] | {"horizon": 30}
STRAIGHT = tuple(
    {"low": low, "high": high}
    for low, high in [
        ((2.2, -1.5), (2.8, 1.5)),
        ((-2.8, -1.5), (-2.2, 1.5)),
        ((-1.5, 2.2), (1.5, 2.8)),
        ((-1.5, -2.8), (1.5, -2.2)),
    ]
)


def changed(**fields):
    return MultiGoal.model_validate(CONFIG | fields)


@dataclass
class Walks:
    """Every member walks towards a point of its own, by 0.5 in every step."""

    towards: list[tuple[float, float]]

    def sample(self, state, noise):
        way = torch.tensor(self.towards)[:, None] - state
        length = way.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        return way / length * length.clamp(max=0.5)

    def greedy(self, state):
        return self.sample(state, None)


@dataclass
class Flips:
    """Walks into the goal on the right where its first noise of an episode is positive.

    Otherwise it walks into the upper right corner.
    """

    def sample(self, state, noise):
        starts = state.abs().amax(dim=-1, keepdim=True) < 0.5
        up = torch.where(starts, noise[..., :1] <= 0, state[..., 1:] > 0.5).float()
        return torch.cat([torch.ones_like(up), up], dim=-1)

    greedy = None


@dataclass
class Sides(Flips):
    """As `Flips`, but it is the start that decides: the right half succeeds."""

    def sample(self, state, noise):
        return super().sample(state, state)


ONE_EACH = Walks([(5.0, 0.0), (-5.0, 0.0), (0.0, 0.0)])


def fake(policy, monkeypatch):
    """Let a policy pass for an agent whose tensors are checked."""
    agent = fresh("sac", (0, 1, 2))
    monkeypatch.setattr(agent, "sample", policy.sample)
    monkeypatch.setattr(agent, "greedy", policy.greedy)
    return agent


@pytest.fixture
def judged(monkeypatch):
    def judged(policy, task, *, episodes=20, attempts=2):
        agent = fake(policy, monkeypatch)
        return robustness(agent, task, (0, 1, 2), episodes=episodes, attempts=attempts)

    return judged


def test_in_its_own_task_a_policy_that_walks_to_a_goal_succeeds(judged):
    found = judged(ONE_EACH, changed()).numbers
    assert found["success"].tolist() == [1.0, 1.0, 0.0]
    # From the origin, 5 - 1 units at half a unit: 9 steps, one more or less by start.
    assert found["episode_length"][:2] == pytest.approx([9, 9], abs=1)
    assert found["episode_length"][2] == 30


def test_without_its_goal_it_fails(judged):
    found = judged(ONE_EACH, changed(goals=((5.0, 0.0), (0.0, 5.0)))).numbers
    assert found["success"].tolist() == [1.0, 0.0, 0.0]


def test_a_wall_across_the_way_stops_it_and_goals_elsewhere_do_not_count(judged):
    found = judged(ONE_EACH, changed(walls=STRAIGHT))
    assert found.numbers["success"].tolist() == [0.0, 0.0, 0.0]
    assert np.nanmax(found.positions[0, ..., 0]) < 2.2
    assert np.nanmin(found.positions[1, ..., 0]) > -2.8


def test_whoever_walks_towards_a_goal_from_anywhere_survives_a_push(judged):
    pushed = changed(push={"step": 3, "distance": 2.0})
    found = judged(ONE_EACH, pushed, attempts=3)
    assert found.numbers["success"].tolist() == [1.0, 1.0, 0.0]
    jump = np.linalg.norm(np.diff(found.positions, axis=2), axis=-1)
    # The move (0.5) and the push (2) together, whatever the angle between them.
    assert (jump[:2, :, 2] >= 1.5 - 1e-5).all()
    assert np.nanmax(np.delete(jump, 2, axis=2)) <= 0.5 + 1e-5


def test_a_start_counts_when_any_of_its_tries_succeeds(judged):
    found = judged(Flips(), changed(), episodes=400, attempts=5).numbers
    # Success has probability 1/2: 2000 tries and 400 starts, four standard errors.
    assert found["success"] == pytest.approx([0.5] * 3, abs=4 * 0.5 / 2000**0.5)
    expected = 1 - 0.5**5
    error = (expected * (1 - expected) / 400) ** 0.5
    assert found["success_of_any"] == pytest.approx([expected] * 3, abs=4 * error)


def test_the_tries_of_a_start_begin_at_the_same_place(judged):
    found = judged(Sides(), changed(), episodes=100, attempts=4).numbers
    np.testing.assert_array_equal(found["success"], found["success_of_any"])
    # Half of the starts, within four standard errors.
    assert found["success"] == pytest.approx([0.5] * 3, abs=4 * 0.5 / 100**0.5)


def test_the_return_is_that_of_the_task_it_is_in(judged):
    """Walks half a unit a step to the right; a start is .1 away from the origin."""
    found = judged(ONE_EACH, changed()).numbers["return"]
    steps = 0.5 * np.arange(1, 10)
    expected = 10 - 30 * 0.25 * 9 - np.square(5 - steps).sum()
    # A start further to the right by d changes it by 2 d Σ (5 - x) = 50 d, and by a
    # step that is saved or added: 8.5. The mean over 20 starts of .1 each is .02 off.
    assert found[:2] == pytest.approx([expected] * 2, abs=4 * 50 * 0.1 / 20**0.5 + 8.5)


def test_to_stand_beside_a_goal_is_no_success(judged):
    beside = Walks([(5.0, 1.1), (3.8, 0.0), (0.0, 5.9)])  # at least .05 off the radius
    assert judged(beside, changed()).numbers["success"].tolist() == [0.0, 0.0, 1.0]


def test_its_starts_are_not_those_of_evaluations_while_training(monkeypatch):
    agent = fake(ONE_EACH, monkeypatch)
    found = robustness(agent, changed(), (0, 1, 2), episodes=5, attempts=1).positions
    for block in range(3):
        seen = Evaluator(changed(), (0, 1, 2), episodes=5)(agent, block=block)
        assert (np.abs(seen.positions[:, :, 0] - found[:, :, 0]) > 1e-6).all()


def test_one_try_is_just_a_try(judged):
    found = judged(Flips(), changed(), attempts=1).numbers
    np.testing.assert_array_equal(found["success"], found["success_of_any"])


def test_a_policy_without_noise_gains_nothing_from_trying_again(judged):
    pushed = changed(push={"step": 3, "distance": 2.0}, walls=STRAIGHT)
    found = judged(ONE_EACH, pushed, attempts=4).numbers
    np.testing.assert_array_equal(found["success"], found["success_of_any"])


def test_shown_are_different_starts(judged):
    found = judged(ONE_EACH, changed(), episodes=SHOWN_EPISODES + 10, attempts=2)
    assert found.positions.shape == (3, SHOWN_EPISODES, 31, 2)
    starts = found.positions[:, :, 0].reshape(-1, 2)
    assert len(np.unique(starts, axis=0)) == 3 * SHOWN_EPISODES


def test_the_same_twice_and_members_apart(monkeypatch):
    agent = fake(ONE_EACH, monkeypatch)
    pushed = changed(push={"step": 3, "distance": 2.0})
    first, again = (
        robustness(agent, pushed, (4, 5, 6), episodes=8, attempts=2) for _ in range(2)
    )
    np.testing.assert_array_equal(first.positions, again.positions)
    other = robustness(agent, pushed, (4, 7, 6), episodes=8, attempts=2)
    np.testing.assert_array_equal(first.positions[0], other.positions[0])
    assert not np.array_equal(first.positions[1], other.positions[1], equal_nan=True)


@pytest.mark.parametrize(("episodes", "attempts"), [(0, 1), (1, 0)])
def test_nothing_to_do_is_refused(judged, episodes, attempts):
    with pytest.raises(ValueError, match="episodes and attempts must be at least 1"):
        judged(ONE_EACH, changed(), episodes=episodes, attempts=attempts)
