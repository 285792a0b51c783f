"""Train a sampler for two soft Q-functions together, and judge it by exact answers.

The folder of a composition has `run.json`, `final.csv` (a row for every seed),
`summary.json` (the oracle's own numbers and the bound on what composing loses),
`weights.safetensors`, and `behaviour.safetensors` for figures.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from safetensors.numpy import save

from pipeline.core.checkpoint import DamagedError
from pipeline.core.composed_policy import Composed
from pipeline.core.composed_task import (
    SCALES,
    combined_arena,
    judge,
    rarest_shared_goal,
)
from pipeline.core.composition import compose
from pipeline.core.exact.backup import effort_of
from pipeline.core.exact.composition_bound import PlaneGap
from pipeline.core.exact.grid import GridOracle, too_coarse
from pipeline.core.exact.rollouts import Episodes, roll_out
from pipeline.core.randomness import stream
from pipeline.study.comparison.results import Run, load_run
from pipeline.study.errors import UserError
from pipeline.study.exact.oracles import KEPT_EPISODES, refused, solve_plane
from pipeline.study.exact.scores import STATES, distances, drawn_masses, masses_of
from pipeline.study.files import atomic_write, write_csv, write_json
from pipeline.study.layout import instance
from pipeline.study.params import ComposedRun, Study

EPISODES: Final = 500
"""Of the soft-optimal policy of the combined task."""


def write_composition(study: Study, name: str, folder: Path) -> None:
    """Make a composition, judge it, and write what came out.

    Raises:
        UserError: A run is missing or damaged, or the two do not fit.
    """
    settings = study.compose.runs[name]
    first, second = (
        load_run(study, "explore", run) for run in (settings.first, settings.second)
    )
    try:
        with refused(f"compose.runs.{name}"):  # a MisfitError is a ValueError
            _write(study, name, first, second, folder=folder)
    except DamagedError as error:
        writers = " ".join(instance("explore", run.name) for run in (first, second))
        raise UserError(f"{error}; restore them: dvc repro {writers}") from None


def _write(study: Study, name: str, first: Run, second: Run, *, folder: Path) -> None:
    torch.set_num_threads(study.execution.threads)
    settings = study.compose.runs[name]
    one, other = first.multigoal, second.multigoal
    composed = compose(
        first.folder / "weights.safetensors",
        second.folder / "weights.safetensors",
        visited(first, second),
        rule=settings.combine,
        updates=settings.updates,
    )
    judged = judge(
        composed, one, other, first.seeds, rule=settings.combine,
        episodes=one.evaluation.final_episodes,
    )  # fmt: skip
    sizes = {"draws": study.score.draws, "cells": study.score.cells}
    oracles = _Oracles(study, settings, first, second)
    columns = judged.numbers | distances(
        composed, oracles.combined, STATES, first.seeds, **sizes, prefix=""
    )
    if settings.combine == "average":
        columns |= oracles.excesses(composed)
    episodes = roll_out(
        oracles.combined, horizon=one.horizon, episodes=EPISODES,
        generator=stream(0, f"composition {name}"),
    )  # fmt: skip
    rows = [
        [seed, *(float(values[member]) for values in columns.values())]
        for member, seed in enumerate(first.seeds)
    ]
    write_csv(folder / "final.csv", ["seed", *columns], rows)
    write_json(folder / "summary.json", oracles.numbers(episodes))
    atomic_write(folder / "weights.safetensors", composed.to_bytes())
    arrays = {
        "oracle_masses": masses_of(oracles.combined, STATES, study.score.cells),
        "oracle_positions": episodes.positions[:KEPT_EPISODES].astype(np.float32),
        "policy_masses": drawn_masses(composed, STATES, first.seeds, **sizes),
        "positions": judged.positions,
        "probe_states": STATES,
    }
    atomic_write(
        folder / "behaviour.safetensors",
        save({key: np.ascontiguousarray(value) for key, value in arrays.items()}),
    )
    write_json(folder / "run.json", _described(name, settings, first, second))


def _described(
    name: str, settings: ComposedRun, first: Run, second: Run
) -> dict[str, Any]:
    return {
        "stage": "compose",
        "run": name,
        "task_name": f"{first.task_name} and {second.task_name}",
        "algorithm_name": first.algorithm_name,
        "algorithm": first.algorithm.model_dump(mode="json"),
        "seeds": list(first.seeds),
        **settings.model_dump(mode="json"),
    }


def visited(first: Run, second: Run) -> Float[ndarray, "member n 2"]:
    """States that each seed has seen in both trainings."""
    both = [run.behaviour()["visited"] for run in (first, second)]
    return np.concatenate(both, axis=1).astype(np.float64)


class _Oracles:
    """The exact answers of both tasks and of the two together."""

    def __init__(
        self, study: Study, settings: ComposedRun, first: Run, second: Run
    ) -> None:
        temperature, spacing = first.temperature, study.exact.spacing
        assert temperature is not None  # soft Q-learning has one
        self._settings = settings
        one, other = first.multigoal, second.multigoal
        tasks = one, other
        self._parts = [solve_plane(task, temperature, spacing) for task in tasks]
        # The bound needs every action at every node: a coarser grid is 16 times faster.
        coarse = 2 * spacing
        effort = max(effort_of(oracle.arena) for oracle in self._parts)
        if too_coarse(coarse, temperature, effort=effort):
            self._for_bound = self._parts
        else:
            self._for_bound = [solve_plane(task, temperature, coarse) for task in tasks]
        self.combined = GridOracle.solve(
            combined_arena(one, other, settings.combine),
            temperature,
            discount=one.discount,
            spacing=spacing,
        )

    def numbers(self, episodes: Episodes) -> dict[str, float]:
        """What the combined oracle does, and what composing exact Qs loses."""
        arena = self.combined.arena
        rarest = float(rarest_shared_goal(arena, episodes.last))
        found = {
            "oracle/success": float(arena.inside(episodes.last).all(axis=0).mean()),
            **({} if np.isnan(rarest) else {"oracle/rarest_shared_goal": rarest}),
            "oracle/return": float(episodes.returns.mean()),
            "oracle/value": float(self.combined.value(STATES[1:2])[0]),
        }
        return found | self._losses() if self._settings.combine == "average" else found

    def excesses(self, composed: Composed) -> dict[str, Float[ndarray, " member"]]:
        """By how much the *learned* average exceeds Q*_C at the probe states.

        Between 0 and C if both parts were exact: `least_excess` tells how much less,
        and `excess_above_bound`, when positive, how much more than that they are off.
        """
        states, actions = (
            torch.from_numpy(each.astype(np.float32)) for each in self._probed
        )
        members = len(composed.temperature)
        q = composed.q(
            states.repeat_interleave(actions.shape[1], 0).expand(members, -1, -1),
            actions.flatten(0, 1).expand(members, -1, -1),
        )
        excess = q.double().numpy().reshape(members, *self._exact.shape) - self._exact
        return {
            "least_excess": excess.min(axis=(1, 2)),
            "largest_excess": excess.max(axis=(1, 2)),
            "excess_above_bound": (excess - self._bound).max(axis=(1, 2)),
        }

    @cached_property
    def _probed(
        self,
    ) -> tuple[Float[ndarray, "probe 2"], Float[ndarray, "probe action 2"]]:
        shape = len(STATES), *self.combined.actions.shape
        return STATES, np.broadcast_to(self.combined.actions, shape)

    @cached_property
    def _exact(self) -> Float[ndarray, "probe action"]:
        return self.combined.q(*self._probed)

    @cached_property
    def _bound(self) -> Float[ndarray, "probe action"]:
        """C of an average, at every action of every probe state."""
        states, actions = self._probed
        there, _, _ = self.combined.arena.advance(states[:, None], actions)
        return PlaneGap(*self._for_bound)(there)

    def _losses(self) -> dict[str, float]:
        """Q_S - Q*_C of exact parts, and its bound C, over actions at the probe states.

        `least_loss` is not negative and `largest_share` at most 1, up to the
        error of the grid, if the theorem holds.
        """
        averaged = SCALES["average"] * sum(
            oracle.q(*self._probed) for oracle in self._parts
        )
        loss = averaged - self._exact
        return {
            "bound/least_loss": float(loss.min()),
            "bound/largest_loss": float(loss.max()),
            "bound/largest": float(self._bound.max()),
            "bound/largest_share": float((loss / self._bound).max()),
        }
