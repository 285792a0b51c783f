"""How near each seed has come to a target or a line since its training began."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from pipeline.core.tasks.navigation.ways import threshold
from pipeline.core.tasks.navigation.world import TARGET_RADIUS, World
from pipeline.study.report.figures import style
from pipeline.study.report.figures import traces as plane
from pipeline.study.report.figures.worlds import world_of
from pipeline.study.store.runs import Run

LABELS: Final = {
    "closest": "nearest to a target so far\n(units)",
    "to_line": "nearest to the line so far\n(units; below 0: past it)",
}
"""What is recorded of every seed since training began, and its label."""


@style.styled
def distances(runs: Sequence[Run], name: str) -> Figure:
    """How near each seed has come since training began (SQL 2017, Figure 3)."""
    figure, panels = plane.panels(len(runs), height=2.6)
    named = style.names(runs)
    for panel, run in zip(panels, runs, strict=True):
        panel.set_title(f"{named[run.id]}\n{panel_of(panel, run, name)}")
    figure.supxlabel(style.STEPS, fontsize=9.5)
    figure.supylabel(LABELS[name], fontsize=9.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def recorded(runs: Sequence[Run]) -> list[str]:
    """Which distances all of these runs have."""
    return [name for name in LABELS if all(f"train/{name}" in r.measured for r in runs)]


def panel_of(axes: Axes, run: Run, name: str) -> str:
    """A thin line for every seed, their median, and what is aimed at.

    Returns how many seeds that have not failed came past it.
    """
    curve, colour = run.curve(f"train/{name}"), run.algorithm.colour
    for member, values in enumerate(curve.values.T):
        label = "each seed" if member == 0 else None
        axes.plot(curve.steps, values, color=colour, lw=0.8, alpha=0.45, label=label)
    median = [np.median(row[~np.isnan(row)]) for row in curve.values]
    axes.plot(curve.steps, median, color=colour, lw=2.4, label="median")
    aim, called, there = _aim(name, world_of(run))
    axes.axhline(aim, color="#1B1B1B", ls="--", lw=1.2, label=called)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    came = (curve.values[-1:] < aim).any(axis=0) & ~run.failed
    return f"{came.sum()} of {len(run.seeds)} seeds {there}"


def _aim(name: str, world: World) -> tuple[float, str, str]:
    """A distance, what it is, and what is said of seeds that came nearer."""
    if name == "to_line":
        return 0.0, "finish line", "past it"
    if world.passages is not None:
        return threshold(world), "as near as without an open passage", "nearer"
    return TARGET_RADIUS, "where a target is reached", "reach one"
