"""The displaced point among walls, paid for places and for its way."""

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from pipeline.core.exact.distance import quadrature
from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.resolution import too_coarse
from pipeline.core.tasks.geometry import crosses

DISCOUNT, ALPHA = 0.9, 0.5
BETWEEN = np.array([[[-0.3, -1.2], [0.3, 2.0]]])
"""A wall between two goals; the way around it is below."""
GOALS = np.array([[-1.5, 1.0], [1.5, 1.0]])


@dataclass(frozen=True, eq=False)
class Small:
    """A plane of 4 by 4."""

    walls: np.ndarray = field(default_factory=lambda: BETWEEN)
    pays: str = ""
    places: str = "goals"
    ends: bool = False
    effort: float = 0.1
    bound: float = 2.0
    depends_on_time: bool = False

    @property
    def finest(self):
        return 1.0 if self.places == "bump" else np.inf

    @property
    def pays_moves(self):
        return bool(self.pays)

    def worth_of_move(self, way):
        match self.pays:
            case "any":
                return np.linalg.norm(way, axis=-1)
            case "forward":
                return way[..., 0]
        return np.zeros(way.shape[:-1])

    def _near(self, place):
        return np.linalg.norm(place[..., None, :] - GOALS, axis=-1).min(axis=-1)

    def reward_at(self, place):
        match self.places:
            case "goals":
                return 3.0 * (self._near(place) < 0.6) - 1.0
            case "bump":
                return np.exp(-(self._near(place) ** 2) / 2)
            case "line":
                return 2.0 * (place[..., 0] >= 0.9)
        return np.zeros(place.shape[:-1])

    def ended(self, place):
        return (self._near(place) < 0.6) & self.ends

    def shifted(self, place, way):
        after = np.clip(place + way, -self.bound, self.bound)
        if not len(self.walls):
            return after
        return np.where(crosses(place, after, self.walls)[..., None], place, after)

    def advance(self, place, action):
        after = self.shifted(place, action)
        reward = self.reward_at(after) + self.worth_of_move(after - place)
        reward = reward - self.effort * np.square(action).sum(axis=-1)
        return after, reward, self.ended(after)


HERE = np.array([[1.25, -0.5]])
NODES, WEIGHTS = quadrature(30)
NO_WALLS = np.zeros((0, 2, 2))
PLANES = {
    "a wall between two goals that end": Small(ends=True),
    "a bump behind a wall": Small(places="bump"),
    "a finish line, and paid forward": Small(places="line", pays="forward"),
    "paid for any move": Small(places="", pays="any"),
    "paid for any move, without walls or effort": Small(
        walls=NO_WALLS, places="", pays="any", effort=0.0
    ),
}


@cache
def solved(name, temperature=ALPHA, spacing=0.25, discount=DISCOUNT):
    return GridOracle.solve(
        PLANES[name], temperature, discount=discount, spacing=spacing
    )


def masses(gain, *, spacing, parts):
    """∫ φ_k(a) exp(gain(a) / α) da of every node k of the actions, φ_k its hat."""
    steps = round(1 / spacing)
    fine = np.linspace(-1, 1, 2 * steps * parts + 1)
    weight = np.full(len(fine), spacing / parts)
    weight[[0, -1]] /= 2
    grid = np.stack(np.meshgrid(fine, fine, indexing="ij"), -1)
    density = np.exp(gain(grid) / ALPHA) * np.outer(weight, weight)
    axis = np.linspace(-1, 1, 2 * steps + 1)
    hats = np.maximum(1 - np.abs(fine - axis[:, None]) / spacing, 0)
    return np.array([[(density * np.outer(x, y)).sum() for y in hats] for x in hats])


def by_hand(plane, spacing):
    """Value iteration with every node and every action written out."""
    count, steps = round(plane.bound / spacing), round(1 / spacing)
    parts = int(np.ceil(spacing / (0.4 * ALPHA))) if plane.pays_moves else 1
    cost = masses(
        lambda a: -plane.effort * np.square(a).sum(axis=-1),
        spacing=spacing,
        parts=parts,
    )
    paid = masses(
        lambda a: plane.worth_of_move(a) - plane.effort * np.square(a).sum(axis=-1),
        spacing=spacing,
        parts=parts,
    )
    axis = spacing * np.arange(-count, count + 1)
    nodes = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    reach = spacing * np.arange(-steps, steps + 1)
    actions = np.stack(np.meshgrid(reach, reach, indexing="ij"), -1).reshape(-1, 2)
    leads, mass, worth, goes_on = [], [], [], []
    for here in nodes:
        there, _, ended = plane.advance(here, actions)
        x, y = np.rint(there / spacing).astype(int).T + count
        leads.append(x * len(axis) + y)
        made = (there - here == actions).all(axis=1)
        otherwise = cost.ravel() * np.exp(plane.worth_of_move(there - here) / ALPHA)
        mass.append(np.where(made, paid.ravel(), otherwise))
        worth.append(plane.reward_at(there))
        goes_on.append(~ended)
    leads, mass, worth, goes_on = map(np.array, (leads, mass, worth, goes_on))
    v = np.zeros(len(nodes))
    for _ in range(250):  # .9²⁵⁰ = 4e-12
        q = worth + DISCOUNT * goes_on * v[leads]
        v = ALPHA * np.log((mass * np.exp(q / ALPHA)).sum(axis=1))
    return v.reshape(len(axis), -1)


@pytest.mark.parametrize("name", PLANES)
def test_the_value_is_that_of_every_action_written_out(name):
    oracle = solved(name)
    low, high = PLANES[name].walls[:, 0], PLANES[name].walls[:, 1]
    axis = np.linspace(-2, 2, len(oracle.v))
    places = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)[:, :, None]
    free = ~((places >= low) & (places <= high)).all(axis=-1).any(axis=-1)
    expected = by_hand(PLANES[name], 0.25)
    np.testing.assert_allclose(oracle.v[free], expected[free], atol=2e-6)


@pytest.mark.parametrize("name", PLANES)
def test_a_finer_grid_changes_little(name):
    start = np.array([[-1.5, -1.5], [-1.0, 0.0]])
    coarse, fine = (solved(name, spacing=each).value(start) for each in (0.25, 0.125))
    np.testing.assert_allclose(coarse, fine, atol=0.1, rtol=0.05)


@pytest.mark.parametrize("name", PLANES)
def test_the_density_integrates_to_one(name):
    oracle = solved(name, spacing=0.125)
    masses = np.exp((oracle.q(HERE, NODES[None]) - oracle.value(HERE)[:, None]) / ALPHA)
    assert masses @ WEIGHTS == pytest.approx(1, abs=0.01)


def test_behind_a_wall_a_goal_is_worth_less_than_before_it():
    v = solved("a wall between two goals that end").v
    np.testing.assert_allclose(v, v[::-1], atol=1e-6)  # as both goals are alike
    oracle = solved("a bump behind a wall")
    beside, before = np.array([[0.5, 1.0]]), np.array([[0.5, -1.0]])
    assert oracle.value(beside) > oracle.value(before)


def test_nobody_is_paid_for_a_move_that_is_not_made():
    plane = PLANES["paid for any move"]
    oracle, here = solved("paid for any move"), np.array([[-0.5, 1.0]])
    into, away = (oracle.q(here, np.array([[[x, 0.0]]])) for x in (0.5, -0.5))
    cost = -plane.effort * 0.25
    assert into == pytest.approx(cost + DISCOUNT * oracle.value(here)[0], abs=0.05)
    ahead = oracle.value(here - [[0.5, 0.0]])[0]
    assert away == pytest.approx(0.5 + cost + DISCOUNT * ahead, abs=0.05)


def test_without_walls_and_effort_a_hot_policy_is_uniform():
    oracle = solved("paid for any move, without walls or effort", temperature=1e4)
    np.testing.assert_allclose(oracle.entropy(HERE), np.log(4), atol=1e-6)


def test_the_grid_may_be_of_any_size_of_which_the_spacing_is_a_part():
    oracle = GridOracle.solve(
        Small(walls=NO_WALLS, bound=2.5), ALPHA, discount=DISCOUNT, spacing=0.25
    )
    assert oracle.v.shape == (21, 21)
    assert oracle.spacing == 0.25


THIN = np.array([[[-0.1, -2.0], [0.1, 1.0]]])
GAP = np.array([[[-1.0, -2.0], [1.0, -0.2]], [[-1.0, 0.2], [1.0, 2.0]]])
SLIT = np.array([[[-1.0, -2.0], [1.0, 1.6]]])


@pytest.mark.parametrize(
    ("settings", "spacing", "match"),
    [
        (
            {"bound": 2.25, "walls": NO_WALLS},
            0.5,
            "from -2.25 to 2.25, .* found 4.5; try 0.25",
        ),
        ({"walls": THIN}, 0.5, r"is 0.2 thick, .* 0\.5 does not resolve; 0\.2 does"),
        ({"walls": GAP}, 0.25, r"are 0.4 apart, .* 0\.25 does not .*; 0\.125 does"),
        ({"walls": SLIT}, 0.25, r"is 0.4 from the end of the plane, .*; 0\.2 does"),
        (
            {"walls": NO_WALLS, "places": "bump"},
            1.0,
            r"the bump is 1 wide, .* 1 does not .*; 0\.5 does",
        ),
    ],
)
def test_a_grid_too_coarse_for_a_wall_a_passage_or_a_bump_is_refused(
    settings, spacing, match
):
    def solve(spacing):
        GridOracle.solve(Small(**settings), 1.0, discount=0.5, spacing=spacing)

    with pytest.raises(ValueError, match=match) as refusal:
        solve(spacing)
    said = str(refusal.value).split()
    solve(float(said[-2] if said[-1] == "does" else said[-1]))


@pytest.mark.parametrize(
    ("settings", "temperature", "pairs"),
    [
        # 641² positions × 41² actions; (2 / .4 α + 1)² actions, to know hats by.
        ({"walls": NO_WALLS, "pays": "any", "bound": 16.0}, 1.0, r"6\.9e\+08"),
        ({"pays": "any"}, 1e-4, r"2\.5e\+09"),
    ],
)
def test_a_grid_too_large_for_a_machine_is_refused(settings, temperature, pairs):
    plane = Small(effort=0.0, **settings)
    said = too_coarse(plane, temperature, 0.05)
    assert re.match(f"{pairs} pairs .* use a larger spacing or a higher temp", said)


def test_only_actions_near_walls_are_looked_at_by_themselves():
    # 2001² positions × 201² actions would be too many.
    assert too_coarse(Small(walls=NO_WALLS, bound=10.0), ALPHA, 0.01) is None
    assert "pairs" in too_coarse(Small(bound=10.0), ALPHA, 0.01)
