"""What an environment is given and what is taken of it, whatever its boxes are."""

import signal

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Tuple
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.tasks.gymnasium.copy import Copy
from pipeline.core.tasks.gymnasium.environments import Copies
from pipeline.core.tasks.gymnasium.patience import Patience

UNIT = Box(-1, 1, (2,), np.float32)


class Recorded(gymnasium.Env):
    """Keeps what it was given; shows, and says besides, what it was told to."""

    def __init__(self, actions=UNIT, observations=UNIT, shown=None, info=lambda: {}):
        self.action_space, self.observation_space = actions, observations
        self.shown = observations.sample() if shown is None else shown
        self.info = info

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.options = options
        return self.shown, self.info()

    def step(self, action):
        self.action = action
        return self.shown, 1.0, False, False, self.info()


def acted(box, action):
    """What an environment with this box is given for a learner's action."""
    env = Recorded(box)
    Copy(env, Patience(60.0)).step(np.asarray(action, np.float32))
    return env.action


def test_an_environment_is_reset_without_options():
    env = Recorded()
    Copies(lambda: env, 1).reset(seed=[0], options={"reset_mask": np.ones(1, bool)})
    assert env.options is None


def test_actions_are_handed_over_in_the_shape_that_was_announced():
    given_over = acted(Box(-2, 2, (2, 2), np.float64), [-1, 0, 0.5, 1])
    np.testing.assert_array_equal(given_over, [[-2, 0], [1, 2]])
    assert given_over.dtype == np.float64


def test_a_component_with_one_value_is_that_value():
    box = Box(np.float32([-1, 0.3]), np.float32([1, 0.3]))
    np.testing.assert_array_equal(acted(box, [0.5, -0.7]), np.float32([0.5, 0.3]))


def bounds(width):
    """A lower and an upper bound, possibly equal, as far apart as a type allows."""
    values = st.floats(
        np.finfo(f"float{width}").min, np.finfo(f"float{width}").max, width=width
    )
    return st.tuples(values, values).map(sorted)


@pytest.mark.parametrize("width", [32, 64])
@given(st.data())
def test_every_action_is_inside_the_box(width, data):
    low, high = data.draw(bounds(width))
    box = Box(low, high, (1,), np.dtype(f"float{width}").type)
    action = data.draw(st.sampled_from([-1, 1]) | st.floats(-1, 1, width=32))
    assert box.contains(acted(box, [action]))


def test_what_has_parts_is_seen_as_gymnasium_flattens_it():
    space = Dict(
        goal=Box(0, 9, (2,), np.int64),
        joints=Tuple((Box(-1, 1, (), np.float32), Box(-1, 1, (2, 1), np.float64))),
    )
    shown = {
        "joints": (np.float32(0.5), np.array([[0.25], [0.75]])),
        "goal": np.array([3, 4]),
    }
    copy = Copy(Recorded(UNIT, space, shown), Patience(60.0))
    seen, _ = copy.reset(seed=0)
    np.testing.assert_array_equal(seen, np.float32([3, 4, 0.5, 0.25, 0.75]))
    assert copy.observation_space.contains(seen)


@pytest.mark.parametrize(
    ("space", "shown", "said"),
    [
        (UNIT, np.zeros(4), "observation of shape (4,); (2,) was announced"),
        (UNIT, np.zeros((2, 1)), "observation of shape (2, 1); (2,) was announced"),
        (UNIT, (np.zeros(2), {}), "observation is a tuple, not an array of numbers"),
        (Dict(a=UNIT), np.zeros(2), "observation is a ndarray, not a dictionary"),
        (
            Dict(a=UNIT, b=UNIT),
            {"a": np.zeros(2)},
            "observation of the parts ['a']; ['a', 'b'] were announced",
        ),
        (
            Dict(a=Tuple((UNIT, UNIT))),
            {"a": (np.zeros(2), np.zeros(3))},
            "observation 'a' 1 of shape (3,); (2,) was announced",
        ),
    ],
)
def test_an_observation_of_another_shape_is_a_failure_that_says_so(space, shown, said):
    copy = Copy(Recorded(UNIT, space, shown), Patience(60.0))
    copy.reset(seed=0)
    assert copy.failure == f"ValueError: {said}"


def test_what_nobody_reads_of_the_info_may_change_its_shape():
    shapes = iter(range(1, 9))
    many = Copies(
        lambda: Recorded(info=lambda: {"contacts": np.zeros(next(shapes))}), 2
    )
    _, told = many.reset(seed=[0, 1], options={"reset_mask": np.ones(2, bool)})
    assert told == {}
    *_, told = many.step(np.zeros((2, 2), np.float32))
    assert told == {}


def test_of_the_info_only_the_place_in_a_plane_is_told():
    where = np.array([1.0, 2.0])
    many = Copies(lambda: Recorded(info=lambda: {"position": where}), 2, in_plane=True)
    *_, told = many.step(np.zeros((2, 2), np.float32))
    np.testing.assert_array_equal(told["position"], [where, where])
    assert told.keys() == {"position"}


def test_around_many_steps_one_timer_is_set_and_it_is_given_back(monkeypatch):
    timers = []
    set_timer = signal.setitimer
    monkeypatch.setattr(
        signal, "setitimer", lambda *given: timers.append(given) or set_timer(*given)
    )
    many, before = Copies(Recorded, 2), signal.getsignal(signal.SIGALRM)
    with many.patience:
        many.reset(seed=[0, 1], options={"reset_mask": np.ones(2, bool)})
        for _ in range(3):
            many.step(np.zeros((2, 2), np.float32))
        assert len(timers) == 1
    assert len(timers) == 2
    assert signal.getsignal(signal.SIGALRM) is before
