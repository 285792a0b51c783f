"""One sweep of soft value iteration on a grid of the plane; `grid.py` says how."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.sparse import csr_array
from scipy.special import logsumexp

from pipeline.core.exact.plane import Plane
from pipeline.core.exact.resolution import EDGE

BLOCK = 32
"""States whose actions are looked at together: as many as a core's cache has room for,
which takes half the time that more do."""

ROUNDING = 1e-9
"""Of a position, in units of the largest action."""
DRIFT = 200.0
"""How many nats apart changes of what places are worth may be before the policy that
they are measured by is looked at again; exp overflows beyond 700."""


class Backup:
    """One sweep of soft value iteration."""

    def __init__(self, plane: Plane, temperature: float, spacing: float) -> None:
        places = nodes(plane.bound, spacing)
        self.reward: Float[ndarray, "x y"] = plane.reward_at(places)
        self.going_on: Bool[ndarray, "x y"] = ~plane.ended(places)
        self.free: Bool[ndarray, "x y"] = ~inside_walls(plane, places)
        """Where one can be."""
        self._alpha = temperature
        self._kernel = (
            log_weights(spacing)
            - plane.effort * action_axis(spacing) ** 2 / temperature
        )
        each = self.free & (_in_reach_of_walls(plane, places) | plane.pays_moves)
        self._alike = bool((self.free & ~each).any())
        self._each = None
        if each.any():
            self._each = _Each(plane, places, each, self.free.ravel(), temperature)

    def __call__(self, worth: Float[ndarray, "x y"]) -> Float[ndarray, "x y"]:
        """V of all positions from what it is worth to arrive at each."""
        worth = worth / self._alpha
        v = worth.copy()
        if self._alike:
            for _ in range(2):  # along one axis, then along the other
                v = log_convolve(v, self._kernel).T
        if self._each is not None:
            self._each.correct(v, worth)
        return self._alpha * v


class _Each:
    """Positions where each action is looked at by itself: where it leads, its gain."""

    def __init__(
        self,
        plane: Plane,
        places: Float[ndarray, "x y 2"],
        where: Bool[ndarray, "x y"],
        free: Bool[ndarray, " node"],
        temperature: float,
    ) -> None:
        self._where, self._free = where, free
        self._size = len(places)
        self._spacing = spacing = 2 * plane.bound / (self._size - 1)
        self._action = action_grid(spacing).reshape(-1, 2)
        parts = math.ceil(spacing / (EDGE * temperature)) if plane.pays_moves else 1
        cost, gain = (
            _action_weights(plane, temperature, spacing, parts, paid=paid)
            for paid in (False, True)
        )
        starts = places[where]
        self._leads = np.empty((len(starts), len(cost)), dtype=np.int32)
        self._weight = np.broadcast_to(cost, self._leads.shape)
        if plane.pays_moves:
            self._weight = self._weight.copy()
        for rows in blocks(np.arange(len(starts))):
            way = self._led(plane, starts[rows], rows)
            if plane.pays_moves:
                unhindered = (np.abs(way - self._action) < spacing / 2).all(axis=-1)
                hindered = cost + plane.worth_of_move(way) / temperature
                self._weight[rows] = np.where(unhindered, gain, hindered)
        self._look(np.zeros(free.shape))

    def _led(
        self, plane: Plane, start: Float[ndarray, "n 2"], rows: ndarray
    ) -> Float[ndarray, "n k 2"]:
        """Note to which node each action leads; the ways there."""
        shape = (len(start), *self._action.shape)
        start = np.broadcast_to(start[:, None], shape)
        place = plane.shifted(start, np.broadcast_to(self._action, shape))
        node = self._node(place)
        met = ~self._free[node][..., None]  # a side of a wall, but for rounding
        place = np.where(met, start, place)
        self._leads[rows] = np.where(met[..., 0], self._node(start), node)
        return np.asarray(place - start)

    def _node(self, place: Float[ndarray, "n k 2"]) -> Int[ndarray, "n k"]:
        node = np.rint(place / self._spacing).astype(np.int32) + self._size // 2
        return np.asarray(node[..., 0] * self._size + node[..., 1])

    def correct(self, v: Float[ndarray, "x y"], worth: Float[ndarray, "x y"]) -> None:
        """Put in the values of these positions.

        With p the policy of an earlier sweep, whose worth was w₀ and whose values v₀,
        they are v₀ + log Σ p exp(w - w₀): a product with a matrix, which takes a
        thirtieth of the time of logarithms of sums, as long as w - w₀ is not large.
        """
        now = worth.ravel()
        if np.ptp((now - self._worth)[self._free]) > DRIFT:
            self._look(now)
        change = np.where(self._free, now - self._worth, -np.inf)
        top = change.max()
        v[self._where] = self._v + top + np.log(self._policy @ np.exp(change - top))

    def _look(self, worth: Float[ndarray, " node"]) -> None:
        """Look at all actions again."""
        count, actions = self._leads.shape
        chosen, v = np.empty(self._leads.shape), np.empty(count)
        for rows in blocks(np.arange(count)):
            log_policy = worth[self._leads[rows]] + self._weight[rows]
            v[rows] = logsumexp(log_policy, axis=1)
            chosen[rows] = np.exp(log_policy - v[rows, None])
        first = np.arange(count + 1) * actions
        self._policy = csr_array(
            (chosen.ravel(), self._leads.ravel(), first), (count, len(worth))
        )
        self._worth, self._v = worth, v


def _action_weights(
    plane: Plane, temperature: float, spacing: float, parts: int, *, paid: bool
) -> Float[ndarray, " k"]:
    """Log of ∫ φ_k(a) exp((g(a) - c ‖a‖²) / α) da for every node of the actions.

    φ_k are the hats around the nodes: with these weights a rule is exact for what is
    linear between nodes, however steep g is. The integral is a trapezoidal rule of
    `parts` per spacing. With `paid` false g is left out.
    """
    axis, fine = action_axis(spacing), action_axis(spacing / parts)
    hat = np.maximum(1 - np.abs(fine[:, None] - axis) / spacing, 0.0)
    action = action_grid(spacing / parts)
    gain = -plane.effort * np.square(action).sum(axis=-1)
    if paid:
        gain = gain + plane.worth_of_move(action)
    weight = log_weights(spacing / parts)
    log_known = gain / temperature + np.add.outer(weight, weight)
    top = log_known.max()
    with np.errstate(divide="ignore"):  # too small a weight is none
        total = np.log(hat.T @ np.exp(log_known - top) @ hat)
    return np.asarray(top + total).ravel()


def _in_reach_of_walls(
    plane: Plane, places: Float[ndarray, "x y 2"]
) -> Bool[ndarray, "x y"]:
    low, high = plane.walls[:, 0] - 1, plane.walls[:, 1] + 1
    beside = (places[:, :, None] >= low) & (places[:, :, None] <= high)
    return np.asarray(beside.all(axis=-1).any(axis=-1))


def log_convolve(
    value: Float[ndarray, "x y"], kernel: Float[ndarray, " k"]
) -> Float[ndarray, "x y"]:
    """Logarithm of Σ_k exp(value[x + k] + kernel[k]); beyond the edge is the edge."""
    reach = len(kernel) // 2
    padded = np.pad(value, ((reach, reach), (0, 0)), mode="edge")
    shifted = [padded[k : k + len(value)] for k in range(len(kernel))]
    largest = shifted[0] + kernel[0]
    for part, weight in zip(shifted, kernel, strict=True):
        np.maximum(largest, part + weight, out=largest)
    total = np.zeros_like(value)
    for part, weight in zip(shifted, kernel, strict=True):
        total += np.exp(part + weight - largest)
    return np.asarray(largest + np.log(total))


def action_axis(spacing: float) -> Float[ndarray, " k"]:
    """Nodes along one axis of the action."""
    reach = round(1 / spacing)
    return spacing * np.arange(-reach, reach + 1)


def action_grid(spacing: float) -> Float[ndarray, "k k 2"]:
    """Nodes of the box of actions."""
    axis = action_axis(spacing)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)


def log_weights(spacing: float) -> Float[ndarray, " k"]:
    """Of the trapezoidal rule along one axis of the action."""
    weights = np.full(2 * round(1 / spacing) + 1, spacing)
    weights[[0, -1]] /= 2
    return np.asarray(np.log(weights))


def nodes(bound: float, spacing: float) -> Float[ndarray, "x y 2"]:
    """Nodes of the grid of positions."""
    reach = round(bound / spacing)
    axis = spacing * np.arange(-reach, reach + 1)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)


def inside_walls(plane: Plane, places: Float[ndarray, "x y 2"]) -> Bool[ndarray, "x y"]:
    """Which positions nobody can be at; the sides of walls are, whatever rounding."""
    low, high = plane.walls[:, 0] - ROUNDING, plane.walls[:, 1] + ROUNDING
    inside = (places[:, :, None] >= low) & (places[:, :, None] <= high)
    return np.asarray(inside.all(axis=-1).any(axis=-1))


def blocks(rows: ndarray) -> Iterator[ndarray]:
    """Rows in groups that are looked at together; of no rows one group without any."""
    for start in range(0, max(len(rows), 1), BLOCK):
        yield rows[start : start + BLOCK]
