"""One sweep of soft value iteration on a grid of the plane; `grid.py` says how."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.special import logsumexp

from pipeline.core.exact.plane import Plane

BLOCK = 32
"""States whose actions are looked at together: as many as a core's cache has room for,
which takes half the time that more do."""


class Backup:
    """One sweep of soft value iteration."""

    def __init__(self, plane: Plane, temperature: float, spacing: float) -> None:
        places = nodes(plane.bound, spacing)
        self.reward: Float[ndarray, "x y"] = plane.reward_at(places)
        self.going_on: Bool[ndarray, "x y"] = ~plane.ended(places)
        self._alpha = temperature
        axis = action_axis(spacing)
        effort = plane.effort
        self._kernel = log_weights(spacing) - effort * axis**2 / temperature
        self._near = _Detours(plane, places, spacing) if len(plane.walls) else None

    def __call__(self, worth: Float[ndarray, "x y"]) -> Float[ndarray, "x y"]:
        """V of all positions from what it is worth to arrive at each."""
        v = worth / self._alpha
        for _ in range(2):  # along one axis, then along the other
            v = log_convolve(v, self._kernel).T
        if self._near is not None:
            self._near.correct(v, worth / self._alpha, self._kernel)
        return self._alpha * v


class _Detours:
    """Positions from which a wall is within reach, and where each action leads."""

    def __init__(
        self, plane: Plane, places: Float[ndarray, "x y 2"], spacing: float
    ) -> None:
        low, high = plane.walls[:, 0] - 1, plane.walls[:, 1] + 1
        beside = (places[:, :, None] >= low) & (places[:, :, None] <= high)
        self._where = beside.all(axis=-1).any(axis=-1)
        axis = action_axis(spacing)
        action = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
        self._leads = np.concatenate(
            [
                self._led(plane, block, action, spacing)
                for block in blocks(places[self._where])
            ]
        )

    @staticmethod
    def _led(
        plane: Plane,
        start: Float[ndarray, "n 2"],
        action: Float[ndarray, "k 2"],
        spacing: float,
    ) -> Int[ndarray, "n k"]:
        """Node to which each action leads."""
        shape = (len(start), *action.shape)
        place = plane.shifted(
            np.broadcast_to(start[:, None], shape), np.broadcast_to(action, shape)
        )
        node = np.rint((place + plane.bound) / spacing).astype(np.int64)
        size = round(2 * plane.bound / spacing) + 1
        return np.asarray((node[..., 0] * size + node[..., 1]).astype(np.int32))

    def correct(
        self,
        v: Float[ndarray, "x y"],
        worth: Float[ndarray, "x y"],
        kernel: Float[ndarray, " k"],
    ) -> None:
        """Replace the values that were computed as if there were no walls."""
        both = np.add.outer(kernel, kernel).ravel()
        flat = worth.ravel()
        v[self._where] = np.concatenate(
            [logsumexp(flat[block] + both, axis=1) for block in blocks(self._leads)]
        )


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
    """Which positions nobody can be at."""
    low, high = plane.walls[:, 0], plane.walls[:, 1]
    inside = (places[:, :, None] >= low) & (places[:, :, None] <= high)
    return np.asarray(inside.all(axis=-1).any(axis=-1))


def blocks(rows: ndarray) -> Iterator[ndarray]:
    """Rows in groups that are looked at together; of no rows one group without any."""
    for start in range(0, max(len(rows), 1), BLOCK):
        yield rows[start : start + BLOCK]
