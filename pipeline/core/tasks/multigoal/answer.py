"""How a task with goals is solved exactly, and what its best policy does."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.distance import oracle_masses, place_name
from pipeline.core.exact.gaussian_bound import best_gaussian
from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.oracle import Solution
from pipeline.core.exact.resolution import too_coarse
from pipeline.core.exact.rollouts import Episodes, roll_out
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.answers import Answer
from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.multigoal.arena import (
    GOAL_RADIUS,
    Arena,
    start,
)
from pipeline.core.tasks.multigoal.settings import MultiGoal

EPISODES = 2000
"""Of the soft-optimal policy: shares of a quarter have a standard error of .01."""
KEPT_EPISODES = 50
"""Of them, for figures."""
CELLS = 41
"""Along each axis of the masses of actions that are kept for figures."""
GAUSSIAN_CELLS = 100
"""Along each axis, of the masses of the best Gaussian: at α = 1 they err by .001."""
ORIGIN = np.zeros((1, 2))


class MultiGoalAnswer(Answer):
    """Soft value iteration on a grid of the plane."""

    def __init__(self, task: MultiGoal) -> None:
        self._task = task

    @property
    def start(self) -> Float[ndarray, " 2"]:
        return np.zeros(2)

    @property
    def compared(self) -> Float[ndarray, "probe 2"]:
        return self._task.probes.astype(np.float64)

    def unsolvable(self, temperature: float, *, spacing: float) -> str | None:
        if self._task.push is not None:
            return "the task has a push: its best policy depends on the time"
        reason = too_coarse(Arena.of(self._task), temperature, spacing)
        return f"the spacing cannot be used: {reason}" if reason else None

    def solve(self, temperature: float, *, spacing: float, name: str) -> Solution:
        task, oracle = self._task, _solved(self._task, temperature, spacing)
        episodes = roll_out(
            oracle,
            start,
            oracle.plane.advance,
            horizon=task.horizon,
            episodes=EPISODES,
            generator=stream(0, name),
        )
        masses = [oracle_masses(oracle, state, CELLS) for state in self.compared]
        arrays = {
            "probe_masses": np.stack(masses),
            "probe_states": self.compared,
            "positions": episodes.positions[:KEPT_EPISODES].astype(np.float32),
            "v": oracle.v,
        }
        return Solution(self._numbers(oracle, episodes), arrays)

    def oracle(self, temperature: float, arrays: Mapping[str, ndarray]) -> GridOracle:
        task = self._task
        return GridOracle(Arena.of(task), temperature, task.discount, arrays["v"])

    def _numbers(self, oracle: GridOracle, episodes: Episodes) -> dict[str, float]:
        """What the policy is worth and does; `docs/metrics.md` defines each."""
        goals, starts = np.array(self._task.goals), episodes.positions[:, 0]
        distance = distances(episodes.last, goals)
        inside, nearest = distance.min(axis=1) < GOAL_RADIUS, distance.argmin(axis=1)
        shares = {
            f"goal_{goal}": float((inside & (nearest == goal)).mean())
            for goal in range(len(goals))
        }
        stayed = nearest == distances(starts, goals).argmin(axis=1)
        return {
            "value": float(oracle.value(ORIGIN)[0]),
            "entropy": float(oracle.entropy(ORIGIN)[0]),
            "entropy_at_starts": float(oracle.entropy(starts).mean()),
            "return": float(episodes.returns.mean()),
            "return_deviation": float(episodes.returns.std(ddof=1)),
            "episode_length": float(episodes.lengths.mean()),
            "success": float(inside.mean()),
            **shares,
            "nearest_goal": float(stayed.mean()),
            **{
                f"best_gaussian/{place_name(state)}": best_gaussian(
                    oracle, state, cells=GAUSSIAN_CELLS
                ).reverse_kl
                for state in self.compared
            },
            **_grid_error(oracle, self._task),
        }


def _grid_error(oracle: GridOracle, task: MultiGoal) -> dict[str, float]:
    """What changes from a grid of twice the spacing; nothing if that is bad."""
    coarse = 2 * oracle.spacing
    if too_coarse(oracle.plane, oracle.temperature, coarse):
        return {}
    other = _solved(task, oracle.temperature, coarse)
    change = np.abs(oracle.v[::2, ::2] - other.v)
    at_start = np.abs(oracle.value(ORIGIN) - other.value(ORIGIN))[0]
    entropy_change = np.abs(oracle.entropy(ORIGIN) - other.entropy(ORIGIN))[0]
    return {
        "refinement_entropy_change": float(entropy_change),
        "refinement_change": float(at_start / np.abs(oracle.value(ORIGIN))[0]),
        "refinement_change_largest": float(change.max() / np.abs(oracle.v).max()),
    }


def _solved(task: MultiGoal, temperature: float, spacing: float) -> GridOracle:
    return GridOracle.solve(
        Arena.of(task), temperature, discount=task.discount, spacing=spacing
    )
