"""What the table of environments says is true of the environments that are here."""

import os
from importlib.util import find_spec

import pytest

from benchmarks.environments import (
    LEARNERS,
    PAGE,
    apart,
    examined,
    is_digest,
    learned,
    names,
)
from pipeline.core.tasks.gymnasium.inspection import mistakes

SHORT = 110
"""Environment steps, the last ten with updates."""


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_learners_end_in_the_same_bytes_twice(monkeypatch):
    monkeypatch.setattr("benchmarks.environments.HORIZON", 10)
    tried = {
        "MountainCarContinuous-v0": "ddpg",
        "Pendulum-v1": "sql",
        "Reacher-v5": "sac_value_network",
    }
    once, again = (
        [learned(name, learner, SHORT) for name, learner in tried.items()]
        for _ in range(2)
    )
    assert once == again
    assert all(map(is_digest, once))
    assert len(set(once)) == len(tried)


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_soft_q_learning_is_trained_in_somebody_elses_maze(monkeypatch):
    # A dictionary is observed there, and the ant and its walls are not ours.
    if find_spec("gymnasium_robotics") is None and not os.environ.get("CI"):
        pytest.skip("there is no gymnasium-robotics: pip install -r requirements.lock")
    monkeypatch.setattr("benchmarks.environments.HORIZON", 20)
    maze = "gymnasium_robotics:AntMaze_UMaze-v5"
    assert not list(mistakes(maze, 20))
    assert is_digest(learned(maze, "sql", 200))


@pytest.mark.long  # above, for three environments
@pytest.mark.parametrize("name", names())
def test_whatever_check_lets_pass_can_be_learned_in(name):
    once = apart(name)
    if "wrong" not in once:
        assert all(is_digest(once[learner]) for learner in LEARNERS)
        assert once == apart(name)


ROWS = {
    line.split("`")[1]: line
    for line in PAGE.read_text().splitlines()
    if line.startswith("| `")
}


def test_the_page_has_a_row_for_every_environment():
    assert set(names()) <= ROWS.keys()


def test_what_the_page_refuses_is_refused():
    said = "acts by Discrete(2); only a Box of real numbers can act"
    assert said in ROWS["CartPole-v1"]
    assert said in examined("CartPole-v1")["wrong"][0]
