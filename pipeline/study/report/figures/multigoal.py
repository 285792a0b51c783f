"""Multi-goal: where episodes go, which goals they find, what Q looks like."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch, Rectangle

from pipeline.core.tasks.geometry import distances
from pipeline.core.tasks.multigoal.arena import (
    BOUND,
    GOAL_RADIUS,
    Arena,
)
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.report.figures import style
from pipeline.study.statistics.goals import goal_frequencies, goals_of
from pipeline.study.store.runs import Run

Array = npt.NDArray[Any]

COLUMNS: Final = 3
SHOWN_SEEDS: Final = 6
SHOWN_ACTIONS: Final = 250


@style.styled
def behaviour(run: Run) -> Figure:
    """Trajectories of up to six seeds; below, Q and actions of the first seed."""
    data = run.behaviour()
    seeds = min(len(run.seeds), SHOWN_SEEDS)
    rows = -(-seeds // COLUMNS)
    figure, axes = style.canvas(rows + 1, COLUMNS, size=(8.4, 2.85 * (rows + 1) + 0.5))
    for member, panel in enumerate(axes[:rows].flat):
        if member < seeds:
            trajectories(panel, goals_of(run), data["positions"][member])
            panel.set_title(_seed_title(run, member))
        else:
            panel.set_visible(False)
    for probe, panel in enumerate(axes[rows]):
        actions(panel, data, probe, run.algorithm.colour)
        panel.set_title(
            f"Q at {_place(data['probe_states'][probe])}, seed {run.seeds[0]}"
        )
    axes[rows, 0].set_ylabel("action along y")
    axes[rows, 1].set_xlabel("action along x")
    figure.suptitle(style.describe(run))
    return figure


def _seed_title(run: Run, member: int) -> str:
    score = run.final["multi_goal_score"][member]
    return f"seed {run.seeds[member]}: score {score:.2f}"


def _place(state: Array) -> str:
    return f"({state[0]:g}, {state[1]:g})"


# ---------------------------------------------------------------------- overviews


@style.styled
def overview(runs: Sequence[Run]) -> Figure:
    """One row per algorithm, one column per temperature, the first seed of each.

    An algorithm without a temperature shows further seeds instead.
    """
    groups = style.by_algorithm(runs)
    columns = max(len(alike) for alike in groups)
    shown = [_filled([(run, 0) for run in alike], columns) for alike in groups]
    figure, axes = style.canvas(
        len(shown), columns, size=(2.3 * columns + 0.3, 2.65 * len(shown) + 0.4)
    )
    for row, panels in zip(axes, shown, strict=True):
        for panel in row[len(panels) :]:
            panel.set_visible(False)
        for panel, (run, member) in zip(row, panels, strict=False):
            trajectories(panel, goals_of(run), run.behaviour()["positions"][member])
            panel.set_title(f"{style.describe(run)}\n{_seed_title(run, member)}")
    figure.legend(
        handles=_goal_legend(goals_of(runs[0])),
        loc="outside lower center",
        ncols=min(columns + 1, 5),
    )
    return figure


def _filled(panels: list[tuple[Run, int]], columns: int) -> list[tuple[Run, int]]:
    """More seeds of a lone run, until the row is full."""
    if len(panels) > 1:
        return panels
    run = panels[0][0]
    return [(run, member) for member in range(min(columns, len(run.seeds)))]


@style.styled
def probes(runs: Sequence[Run]) -> Figure:
    """Sampled actions over the contours of Q, one row per run (SQL 2017, Figure 1)."""
    figure, axes = style.canvas(len(runs), 3, size=(7.4, 2.5 * len(runs) + 0.4))
    named = style.names(runs)
    for row, run in zip(axes, runs, strict=True):
        data = run.behaviour()
        for probe, panel in enumerate(row):
            actions(panel, data, probe, run.algorithm.colour)
            if run is runs[0]:
                panel.set_title(f"position {_place(data['probe_states'][probe])}")
            if run is runs[-1]:
                panel.set_xlabel("action along x")
        row[0].set_ylabel(f"{named[run.id]}\naction along y")
    return figure


@style.styled
def goals(runs: Sequence[Run]) -> Figure:
    """Where final episodes end: a bar for each seed of each run."""
    height = 0.14 * sum(len(run.seeds) + 1.5 for run in runs)
    figure, ((axes,),) = style.canvas(1, 1, size=(8.4, height + 0.9))
    named = style.names(runs)
    at, ticks = 0.0, []
    for run in runs:
        frequencies = goal_frequencies(run)
        where = at + np.arange(len(run.seeds))
        left = np.zeros(len(run.seeds))
        rest = 1 - frequencies.sum(axis=0)
        for share, colour in zip(
            [*frequencies, rest],
            [*style.goal_colours(len(frequencies)), style.NO_GOAL],
            strict=True,
        ):
            axes.barh(where, share, left=left, height=0.86, color=colour, lw=0)
            left += share
        ticks.append(where.mean())
        at += len(run.seeds) + 1.5
    count = len(goals_of(runs[0]).goals)
    for part in range(1, count):
        axes.axvline(part / count, color="white", lw=1)
    axes.set_yticks(ticks, [named[run.id] for run in runs])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.set(xlim=(0, 1), xlabel="share of final episodes (one bar per seed)")
    axes.margins(y=0.01)
    axes.invert_yaxis()
    legend = _goal_legend(goals_of(runs[0]))
    figure.legend(handles=legend, loc="outside upper center", ncols=5)
    return figure


def _goal_legend(task: MultiGoal) -> list[Patch]:
    places = [f"goal ({x:g}, {y:g})" for x, y in task.goals]
    return [
        Patch(color=colour, label=label)
        for colour, label in zip(
            [*style.goal_colours(len(places)), style.NO_GOAL],
            [*places, "no goal"],
            strict=True,
        )
    ]


# ------------------------------------------------------------------------- panels


def trajectories(
    axes: Axes, task: MultiGoal, positions: Array, colours: Sequence[str] | None = None
) -> None:
    """Episodes over the part of the reward that depends on the place.

    Positions are `[episode, time, 2]`, NaN after the end; the task has goals and walls.
    Goals have colours by their order, if no others.
    """
    line = np.linspace(-BOUND, BOUND, 141)
    place = np.stack(np.meshgrid(line, line), axis=-1)
    goals = np.array(task.goals)
    reward = -np.square(distances(place, goals).min(axis=-1))
    axes.contourf(line, line, reward, levels=12, cmap="Greys_r", alpha=0.22)
    axes.contour(
        line, line, reward, levels=12, colors="#999999", linewidths=0.4, linestyles="-"
    )
    colours = colours or style.goal_colours(len(goals))
    for goal, colour in zip(goals, colours, strict=True):
        axes.add_patch(
            Circle(tuple(goal), GOAL_RADIUS, fill=False, ec=colour, lw=1.6, zorder=3)
        )
    for low, high in Arena.of(task).walls:
        axes.add_patch(Rectangle(low, *(high - low), color="#555555", lw=0, zorder=3))
    paths = [path[np.isfinite(path[:, 0])] for path in positions]
    ends = distances(np.array([path[-1] for path in paths]), goals)
    reached = ends.min(axis=-1) < GOAL_RADIUS
    style.lines(
        axes,
        paths,
        [
            colours[goal] if there else "#666666"
            for goal, there in zip(ends.argmin(axis=-1), reached, strict=True)
        ],
        alpha=0.55,
    )
    style.bare(axes)
    axes.set(xlim=(-BOUND, BOUND), ylim=(-BOUND, BOUND), aspect="equal")


def actions(axes: Axes, data: dict[str, Array], probe: int, colour: str) -> None:
    """Actions that the first seed draws in a state, over the contours of its Q."""
    if "probe_q" in data:
        q = data["probe_q"][0, probe]
        grid = np.linspace(-1, 1, q.shape[0])
        axes.contourf(grid, grid, q.T, levels=14, cmap="Greys_r", alpha=0.25)
        axes.contour(
            grid, grid, q.T, levels=14, colors="#888888", linewidths=0.5, linestyles="-"
        )
    drawn = data["probe_actions"][0, probe][:SHOWN_ACTIONS]
    axes.scatter(drawn[:, 0], drawn[:, 1], s=9, color=colour, alpha=0.5, lw=0, zorder=3)
    axes.grid(visible=False)
    axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal")
    axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
