"""Episodes of the soft-optimal policy."""

import numpy as np
import pytest

from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.rollouts import roll_out
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.multigoal.arena import FOUR_GOALS, START_BOUND, start

HORIZON = 30


@pytest.fixture(scope="module")
def oracle():
    return GridOracle.solve(FOUR_GOALS, 10.0, discount=0.99, spacing=0.2)


@pytest.fixture(scope="module")
def episodes(oracle):
    generator = stream(0, "test")
    return roll_out(
        oracle,
        start,
        oracle.plane.advance,
        horizon=HORIZON,
        episodes=100,
        generator=generator,
    )


def test_they_begin_at_the_start_and_end_in_goals(episodes):
    assert (np.abs(episodes.positions[:, 0]) <= START_BOUND).all()
    assert FOUR_GOALS.ended(episodes.last).mean() > 0.95


def test_there_is_nothing_after_the_end(episodes):
    there = np.isfinite(episodes.positions[:, :, 0])
    assert (there.sum(axis=1) == episodes.lengths + 1).all()
    rows = np.arange(len(episodes.lengths))
    assert (episodes.positions[rows, episodes.lengths] == episodes.last).all()


def test_no_step_is_longer_than_an_action(episodes):
    moved = np.diff(episodes.positions, axis=1)
    assert np.nanmax(np.abs(moved)) <= 1 + 1e-12  # of float64 near 7


def test_their_mean_return_is_the_one_that_is_known(episodes):
    # -192 with a deviation of 39 (2000 episodes on a fine grid): four standard errors
    # of a mean of 100, and as much again for the coarse grid.
    assert episodes.returns.mean() == pytest.approx(-192, abs=32)


def test_the_horizon_cuts_them(oracle):
    advance, generator = oracle.plane.advance, stream(0, "test")
    cut = roll_out(oracle, start, advance, horizon=2, episodes=5, generator=generator)
    assert (cut.lengths == 2).all()
    assert cut.positions.shape == (5, 3, 2)
