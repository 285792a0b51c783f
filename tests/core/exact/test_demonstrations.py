import numpy as np
import pytest

from pipeline.core.exact import demonstrations
from pipeline.core.exact.gridworld import MOVES, TWO_WAYS, GridWorld

WORLD = GridWorld.of(TWO_WAYS)
MDP = WORLD.mdp(discount=0.9, slip=0.1, step_cost=1.0, goal_reward=20.0)
UP, DOWN = list(MOVES).index("up"), list(MOVES).index("down")


def test_distances_stay_below_what_the_contraction_promises():
    data = demonstrations.contraction(MDP, [0.1, 1.0], sweeps=30)
    assert data["sweep"].tolist() == list(range(31))
    assert data["distance"].shape == data["bound"].shape == (2, 31)
    assert (data["distance"] <= data["bound"] + demonstrations.RESOLUTION).all()
    assert data["distance"][0, 30] < data["distance"][0, 0] / 20


def test_fits_are_sweeps_on_tables_or_diverge():
    data = demonstrations.fitted(MDP, [0.1, 1.0], sweeps=20, discount=0.95)
    assert data["difference"].shape == (2, 21)
    assert data["difference"].max() < 1e-12  # rounding
    np.testing.assert_allclose(data["linear"], 2 * (6 * 0.95 / 5) ** data["sweep"])
    np.testing.assert_allclose(data["tabular"], 2 * 0.95 ** data["sweep"])


def test_soft_values_fall_to_the_hard_ones_inside_of_the_bound():
    data = demonstrations.hard_limit(MDP, [1.0, 0.1, 0.01])
    resolution = 2 * demonstrations.RESOLUTION
    assert data["q"].shape == (3, *MDP.reward.shape)
    assert (data["least_gap"] >= -resolution).all()
    assert (data["gap"] <= data["bound"] + resolution).all()
    assert data["bound"] == pytest.approx(9 * np.log(4) * data["temperature"])


def test_soft_policies_go_both_ways_round_the_wall():
    data = demonstrations.grid_policies(WORLD, MDP, [0.1, 0.5])
    column, row = WORLD.cells[WORLD.start]
    first = data["policy"][:, row, column]
    assert data["policy"].shape == (2, WORLD.rows, WORLD.columns, len(MOVES))
    np.testing.assert_allclose(first[:, UP], first[:, DOWN], rtol=1e-6)
    np.testing.assert_allclose(data["visits"], data["visits"][:, ::-1], rtol=1e-6)
    assert np.isnan(data["value"][:, 2, 2]).all()  # a wall
    above, below = data["visits_hard"][4].sum(), data["visits_hard"][0].sum()
    assert max(above, below) > 10 * min(above, below)


def test_every_iterate_of_soft_policy_iteration_is_at_least_the_one_before():
    uniform = np.full(MDP.reward.shape, 0.25)
    data = demonstrations.monotone_improvement(MDP, uniform, temperature=0.5, count=6)
    assert data["q"].shape == (6, *MDP.reward.shape)
    assert (data["least_rise"] >= -1e-12).all()  # rounding
    assert data["largest_rise"][0] > 1
    assert data["distance"][5] < 1e-6 < data["distance"][0]


class TestRiskyChoice:
    def test_only_the_optimist_gambles_when_it_is_cold(self):
        data = demonstrations.risky_choice(
            [0.1, 1.0, 10.0], probability=0.2, safe=1.0, win=2.0, lose=-1.0
        )
        assert data["exact"][0, 1] > 0.99
        assert data["variational"][0, 0] > 0.99
        assert data["believed_win"][0] > 0.99
        assert data["exact_return"][0] == pytest.approx(0.2 * 2 - 0.8, abs=1e-2)
        assert data["variational_return"][0] == pytest.approx(1.0, abs=1e-2)
        assert (data["log_evidence"] > data["evidence_bound"]).all()

    def test_a_sure_gamble_makes_them_agree(self):
        data = demonstrations.risky_choice(
            [0.5], probability=1.0, safe=1.0, win=2.0, lose=-1.0
        )
        np.testing.assert_allclose(data["exact"], data["variational"], atol=1e-12)
        assert data["believed_win"] == pytest.approx([1.0])
