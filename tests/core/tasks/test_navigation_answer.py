"""Tasks in worlds, solved exactly."""

from functools import cache

import numpy as np
import pytest

from pipeline.core.config.values import parsed
from pipeline.core.tasks.answers import answer_to
from pipeline.core.tasks.navigation.settings import Navigation
from tests.core.configs import EVALUATION

WALL = [
    {"low": [-0.5, -4.0], "high": [0.5, -2.5]},
    {"low": [-0.5, -1.0], "high": [0.5, 1.0]},
    {"low": [-0.5, 2.5], "high": [0.5, 4.0]},
]
LOWER = {"low": [-0.5, -2.5], "high": [0.5, -1.0]}
UPPER = {"low": [-0.5, 1.0], "high": [0.5, 2.5]}
AWAY = {"low": [-4.0, 3.0], "high": [-3.0, 4.0]}
BOTH = {
    "half_width": 4.0,
    "start": [-2.5, 0.0],
    "walls": WALL,
    "passages": {"open": [LOWER, UPPER], "blocked": [AWAY]},
    "targets": [[2.5, 0.0]],
}
ONE = BOTH | {"passages": {"open": [LOWER], "blocked": [UPPER]}}
LINE = {"half_width": 4.0, "start": [0.0, 0.0], "finish_line": 2.05}
OPEN = {"half_width": 8.0, "start": [0.0, 0.0]}
GOALS = {"goals": {"bonus": 5.0, "step_cost": 1.0}, "effort": 0.1}
SPEED = {"speed": "any", "effort": 0.05}
ALPHA, SPACING = 0.5, 0.25


def task(world, **fields):
    settings = {
        "kind": "navigation",
        "world": world,
        "body": "point",
        "reward": GOALS,
        "end": "at_target",
        "horizon": 25,
        "discount": 0.9,
        "objective": "return",
        "evaluation": EVALUATION,
    }
    return parsed(Navigation, settings | fields)


def with_momentum(world=OPEN, **fields):
    body = {"body": "point_with_momentum", "reward": SPEED, "end": "never"}
    return task(world, **(body | fields))


@cache
def solved(name):
    described = {
        "both": task(BOTH),
        "one": task(ONE),
        "line": task(
            LINE,
            reward={"speed": "either_way", "past_line": 0.5, "effort": 0.1},
            end="never",
        ),
        "momentum": with_momentum(),
    }[name]
    spacing = 0.1 if name == "momentum" else SPACING
    found = answer_to(described).solve(ALPHA, spacing=spacing, name=name)
    return described, found


def test_two_passages_that_are_alike_are_taken_alike():
    _, found = solved("both")
    shares = [found.numbers[f"passage_{way}"] for way in (0, 1)]
    # Four standard errors of a half in 500 episodes.
    assert shares == pytest.approx([0.5, 0.5], abs=0.09)
    assert found.numbers["success"] > 0.99


def test_of_two_passages_one_of_which_is_blocked_the_other_is_taken():
    _, found = solved("one")
    assert found.numbers["passage_0"] > 0.99
    assert "passage_1" not in found.numbers
    assert found.numbers["value"] < solved("both")[1].numbers["value"]


def test_a_line_with_a_bonus_is_on_the_better_of_two_sides():
    task, found = solved("line")
    assert task.ways == ("past_line",)
    assert 0.5 < found.numbers["past_line"] <= 1


def test_a_point_with_momentum_goes_every_way():
    _, found = solved("momentum")
    distance = found.numbers["distance"]
    # The mean of 500 episodes; a component of each is at most its length.
    assert abs(found.numbers["forward_distance"]) < 4 * 1.5 * distance / 500**0.5
    # Two ways out of eight have log(2) / log(8).
    assert found.numbers["direction_spread"] > 1 / 3


@pytest.mark.parametrize("name", ["both", "line", "momentum"])
def test_an_oracle_is_rebuilt_from_what_is_written(name):
    described, found = solved(name)
    oracle = answer_to(described).oracle(ALPHA, found.arrays)
    start = answer_to(described).start[None]
    assert oracle.value(start)[0] == found.numbers["value"]
    assert found.arrays["positions"].shape[::2] == (50, 2)
    np.testing.assert_allclose(found.arrays["probe_masses"].sum(axis=(1, 2)), 1)


def test_the_exact_policy_is_measured_by_the_metrics_of_its_task():
    described, found = solved("both")
    assert set(described.ways) == {"passage_0", "passage_1"}
    assert set(described.ways) < set(found.numbers)


@pytest.mark.parametrize(
    ("described", "said"),
    [
        (with_momentum(BOTH), "its world must have no walls"),
        (with_momentum(reward=GOALS), "its reward must be `speed`"),
        (with_momentum(horizon=60), "must be at least 15.5, as far as an episode"),
        (with_momentum(LINE | {"half_width": 8.0}, end="past_line"), "must be never"),
    ],
)
def test_where_the_place_matters_momentum_has_no_exact_answer(described, said):
    answer = answer_to(described)
    assert said in answer.unsolvable(ALPHA, spacing=0.1)
    assert answer.compared is None


def test_a_grid_too_coarse_for_a_passage_is_refused():
    reason = answer_to(task(BOTH)).unsolvable(ALPHA, spacing=1.0)
    assert reason.startswith("the spacing cannot be used: the walls from")
    assert "1.5 apart, which a spacing of 1 does not resolve; 0.5 does" in reason
    assert answer_to(task(BOTH)).unsolvable(ALPHA, spacing=0.5) is None


SMALL = {
    "half_width": 3.0,
    "start": [-2.0, 0.0],
    "walls": [{"low": [-0.5, -1.0], "high": [0.5, 3.0]}],
    "targets": [[2.0, 0.0]],
}


@pytest.mark.parametrize(("spacing", "finer"), [(0.5, 0.25), (0.25, 0.125)])
def test_a_policy_sharper_than_the_grid_is_refused(spacing, finer):
    sharp = answer_to(
        task(SMALL, reward={"bump": {"height": 1.0, "width": 2.0}, "effort": 0.05})
    )
    assert sharp.unsolvable(0.05, spacing=spacing) is None
    with pytest.raises(ValueError, match=f"sharper than the grid.*; try {finer}$"):
        sharp.solve(0.05, spacing=spacing, name="sharp")


@pytest.mark.parametrize(("name", "coarse"), [("both", 2 * SPACING), ("momentum", 0.2)])
def test_it_is_told_how_much_a_finer_grid_changes_the_entropy(name, coarse):
    described, found = solved(name)
    answer = answer_to(described)
    other = answer.solved(ALPHA, coarse).entropy(answer.start[None])[0]
    change = found.numbers["refinement_entropy_change"]
    assert change == pytest.approx(abs(other - found.numbers["entropy"]))


def test_a_failed_seed_takes_no_way_and_has_no_score():
    described, _ = solved("both")
    assert described.of_failed("passage_0") == described.of_failed("success") == 0
    assert np.isnan(described.of_failed("-2.5:0"))
