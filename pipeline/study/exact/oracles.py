"""Solve tasks exactly, and write and read what came out.

The folder of an oracle has `run.json` (what was solved), `summary.json` (what the
soft-optimal policy is worth and does) and, in the plane, `oracle.safetensors`
(V* on the grid, and some of the policy's episodes).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from safetensors.numpy import load_file, save

from pipeline.core import probes
from pipeline.core.config import LinearQuadratic, MultiGoal
from pipeline.core.exact.backup import effort_of
from pipeline.core.exact.distance import oracle_masses
from pipeline.core.exact.gaussian_bound import best_gaussian
from pipeline.core.exact.grid import GridOracle, too_coarse
from pipeline.core.exact.oracle import Oracle
from pipeline.core.exact.rollouts import Episodes, roll_out
from pipeline.core.job import Array
from pipeline.core.randomness import stream
from pipeline.core.tasks.multigoal import GOAL_RADIUS, Arena, goal_distances
from pipeline.study.errors import UserError
from pipeline.study.files import atomic_write, write_json
from pipeline.study.layout import ORACLES, instance, readable
from pipeline.study.params import Study

if TYPE_CHECKING:
    from pipeline.core.exact.linear_quadratic import LinearQuadraticOracle

EPISODES: Final = 2000
"""Of the soft-optimal policy: shares of a quarter have a standard error of .01."""
KEPT_EPISODES: Final = 50
"""Of them, for figures."""

CELLS: Final = 41
"""Along each axis of the masses of actions that are kept for figures."""
GAUSSIAN_CELLS: Final = 100
"""Along each axis, of the masses of the best Gaussian: at α = 1 they err by .001."""
STATES: Final = probes.STATES.astype(np.float64)

ORIGIN: Final = np.zeros((1, 2))


def place_name(state: Iterable[float]) -> str:
    """`2.5:2.5`: a position in the name of a metric, in characters that MLflow has."""
    return ":".join(f"{number:g}" for number in state)


def write_oracle(study: Study, name: str, folder: Path) -> None:
    """Solve a task of the study and write what came out."""
    settings = study.exact.oracles[name]
    task = study.tasks[settings.task]
    described = {
        "stage": "exact",
        "run": name,
        "task_name": settings.task,
        "task": task.model_dump(mode="json"),
        "temperature": settings.temperature,
    }
    match task:
        case MultiGoal():
            spacing = study.exact.spacing
            oracle = solve_plane(task, settings.temperature, spacing)
            described["spacing"] = spacing
            episodes = roll_out(
                oracle,
                horizon=task.horizon,
                episodes=EPISODES,
                generator=stream(0, f"oracle {name}"),
            )
            numbers = _plane_numbers(oracle, task, episodes)
            arrays = {
                "probe_masses": np.stack(
                    [oracle_masses(oracle, state, CELLS) for state in STATES]
                ),
                "probe_states": STATES,
                "positions": episodes.positions[:KEPT_EPISODES].astype(np.float32),
                "v": oracle.v,
            }
            atomic_write(folder / "oracle.safetensors", save(_packed(arrays)))
        case LinearQuadratic():
            numbers = _regulator_numbers(task, settings.temperature)
        case _:
            raise UserError(f"{settings.task} has no exact answer")
    write_json(folder / "run.json", described)
    write_json(folder / "summary.json", numbers)


@contextmanager
def refused(where: str) -> Iterator[None]:
    """Tell what cannot be computed with these settings as the user's mistake.

    Args:
        where: The place of the settings in `params.yaml`.

    Raises:
        UserError: What was raised as a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None


def solve_plane(task: MultiGoal, temperature: float, spacing: float) -> GridOracle:
    """The oracle of a task with goals."""
    return GridOracle.solve(
        Arena.of(task), temperature, discount=task.discount, spacing=spacing
    )


def _packed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}


def _plane_numbers(
    oracle: GridOracle, task: MultiGoal, episodes: Episodes
) -> dict[str, float]:
    """What the oracle's policy is worth and does; `docs/metrics.md` defines each."""
    goals, starts = np.array(task.goals), episodes.positions[:, 0]
    distance = goal_distances(episodes.last, goals)
    inside, nearest = distance.min(axis=1) < GOAL_RADIUS, distance.argmin(axis=1)
    shares = {
        f"goal_{goal}": float((inside & (nearest == goal)).mean())
        for goal in range(len(goals))
    }
    stayed = nearest == goal_distances(starts, goals).argmin(axis=1)
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
            for state in STATES
        },
        **_grid_error(oracle, task),
    }


def _grid_error(oracle: GridOracle, task: MultiGoal) -> dict[str, float]:
    """How much V* changes from a grid of twice the spacing; nothing if that is bad."""
    coarse = 2 * oracle.spacing
    if too_coarse(coarse, oracle.temperature, effort=effort_of(oracle.arena)):
        return {}
    other = solve_plane(task, oracle.temperature, coarse)
    change = np.abs(oracle.v[::2, ::2] - other.v)
    at_start = np.abs(oracle.value(ORIGIN) - other.value(ORIGIN))[0]
    return {
        "refinement_change": float(at_start / np.abs(oracle.value(ORIGIN))[0]),
        "refinement_change_largest": float(change.max() / np.abs(oracle.v).max()),
    }


def _regulator(task: LinearQuadratic, temperature: float) -> "LinearQuadraticOracle":
    from pipeline.core.exact.linear_quadratic import LinearQuadraticOracle

    return LinearQuadraticOracle.solve(task, temperature)


def _regulator_numbers(task: LinearQuadratic, temperature: float) -> dict[str, float]:
    oracle = _regulator(task, temperature)
    states = np.zeros((1, len(oracle.regulator.curvature)))
    return {
        "value": float(oracle.value(states)[0]),
        "entropy": oracle.regulator.entropy,
    }


def load_oracle(study: Study, name: str, root: Path = ORACLES) -> Oracle:
    """An oracle: of a task in the plane as it was solved, else its closed form.

    Raises:
        UserError: It is missing or damaged.
    """
    settings = study.exact.oracles[name]
    task = study.tasks[settings.task]
    if isinstance(task, LinearQuadratic):
        return _regulator(task, settings.temperature)
    assert isinstance(task, MultiGoal)
    path = root / name / "oracle.safetensors"
    with readable(path, instance("exact", name)):
        v = load_file(path)["v"]
    return GridOracle(Arena.of(task), settings.temperature, task.discount, v)
