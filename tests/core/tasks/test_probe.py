"""What an environment does is compared with what it announced, before it is a task."""

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box, Dict, Discrete, Tuple

from pipeline.core.tasks.gymnasium.behaviour import STEPS
from pipeline.core.tasks.gymnasium.environments import registered
from pipeline.core.tasks.gymnasium.probe import probe

PLACES = []


class Sound(gymnasium.Env):
    """Nothing is wrong with it."""

    observation_space = Box(-1, 1, (3,), np.float32)
    action_space = Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.start()
        return self.shown(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.place = self.place + 0.01 * action.sum(dtype=np.float32)
        return self.shown(), self.reward(action), False, False, {}

    def start(self):
        return self.np_random.uniform(-1, 1, 3).astype(np.float32)

    def shown(self):
        return self.place

    def reward(self, action):
        return float(-np.square(action).sum())


class Parts(Sound):
    observation_space = Dict(
        at=Box(-1, 1, (3,), np.float64), also=Tuple((Box(0, 9, (2, 2), np.uint8),))
    )

    def shown(self):
        return {"at": self.place, "also": (np.ones((2, 2), np.uint8),)}


class Ends(Sound):
    """Ends after three steps, and must not be stepped then."""

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return super().reset(seed=seed)

    def step(self, action):
        assert self.steps < 3
        self.steps += 1
        return (*super().step(action)[:2], np.bool_(self.steps == 3), False, None)


class OneReturned(Sound):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)[0]


class FourReturned(Sound):
    def step(self, action):
        return super().step(action)[:4]


class OtherShape(Sound):
    def shown(self):
        return np.zeros((3, 1))


class Fractions(Sound):
    observation_space = Box(0, 9, (3,), np.uint8)


class Huge(Sound):
    observation_space = Box(-np.inf, np.inf, (3,), np.float64)

    def shown(self):
        return np.array([0, 1e39, 0])


class NoNumber(Sound):
    """Rewards the upper corner of its box by none."""

    def reward(self, action):
        return float("nan") if (action == 1).all() else 0.0


class OneInAnArray(Sound):
    def reward(self, action):
        return np.zeros(1)


class NumberForAnEnd(Sound):
    def step(self, action):
        return (*super().step(action)[:2], 0, False, {})


class Unseeded(Sound):
    def start(self):
        return np.random.uniform(-1, 1, 3).astype(np.float32)  # noqa: NPY002


class UnseededReward(Sound):
    def reward(self, action):
        return np.random.uniform()  # noqa: NPY002


class Remembers(Sound):
    """Is where it was, whatever it is reset to."""

    total = 0.0

    def reward(self, action):
        self.total += 1.0
        return self.total


class Shares(Sound):
    """Is in one place with every copy of it."""

    def start(self):
        PLACES[:] = super().start()
        return np.array(PLACES, np.float32)

    def shown(self):
        self.place = np.array(PLACES, np.float32)
        PLACES[0] += 0.125
        return self.place


class Raises(Sound):
    def reward(self, action):
        raise KeyError("missing\nmore")


class Discretes(Sound):
    observation_space = Dict(at=Box(-1, 1, (3,)), gear=Discrete(3))


class Nothing(Sound):
    action_space = Box(-1, 1, (0,))


class Endless(Sound):
    action_space = Box(np.float32([-np.inf] + [-1.5] * 30), np.float32([1.5] * 31))


@pytest.fixture
def found(monkeypatch):
    """What is found of an environment of a class."""

    def found(made):
        spec = EnvSpec("Tried-v0", entry_point=made, max_episode_steps=50)
        monkeypatch.setitem(gymnasium.registry, "Tried-v0", spec)
        return probe("Tried-v0")

    return found


@pytest.mark.parametrize("made", [Sound, Parts, Ends])
def test_what_does_as_it_announced_has_no_mistake(found, made):
    assert found(made).mistakes == ()


def test_it_is_known_by_its_widths_and_its_limit(found):
    assert found(Sound).widths == (3, 2)
    assert found(Parts).widths == (7, 2)
    assert found(Parts).horizon == 50


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (OneReturned, "returns a ndarray from reset; 2 are due: observation, info"),
        (FourReturned, "returns 4 values from step; 5 are due: observation, reward,"),
        (OtherShape, "from reset an observation of shape (3, 1); (3,) was announced"),
        (Fractions, "from reset an observation of float32; uint8 was announced"),
        (Huge, "returns from reset inf as component 1 of the observation; all have"),
        (NoNumber, "rewards the action [1.0, 1.0] by nan; it has to be finite"),
        (OneInAnArray, "rewards a step by array([0.]) (ndarray); a number is due"),
        (NumberForAnEnd, "says terminated is 0 (int); it has to be True or False"),
        (Unseeded, "gives another first observation when it starts again with the"),
        (UnseededReward, "gives another reward of step 1 when it starts again with"),
        (Remembers, "gives another reward of step 1 when it starts again with"),
        (Shares, "in a second copy beside a third with the same seed"),
        (Raises, "raises KeyError: 'missing\\nmore' (tests/core/tasks/test_probe.py:"),
        (Discretes, "observes Dict("),
        (Nothing, "(0,), float32), which is nothing"),
        (Endless, "every action needs two bounds"),
    ],
)
def test_what_does_not_is_told_in_one_sentence(found, made, said):
    (mistake,) = found(made).mistakes
    assert mistake.startswith("Tried-v0 ")
    assert said in mistake
    assert "\n" not in mistake


def test_the_corners_of_its_box_are_among_what_it_is_given(found):
    given = []

    class Listens(Sound):
        def reward(self, action):
            given.append(action.tolist())
            return 0.0

    assert found(Listens).mistakes == ()
    assert given[:2] == [[-1.0, -1.0], [1.0, 1.0]]
    assert len(given) >= 3 * STEPS


class Beyond(Sound):
    def shown(self):
        return np.array([0, 1, 50], np.float32)


def test_what_is_shown_outside_of_its_bounds_is_doubtful_and_no_mistake():
    gymnasium.register("Beyond-v0", Beyond)
    found = probe("Beyond-v0")
    assert found.mistakes == ()
    (doubt,) = found.doubts
    assert "Beyond-v0 shows 50 as component 2 of the observation" in doubt
    assert "announced [-1, 1]" in doubt


def test_nobody_is_told_that_a_model_of_gymnasium_is_old(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    registered("HalfCheetah-v5")
    assert capfd.readouterr() == ("", "")
    assert not [*tmp_path.iterdir()]
