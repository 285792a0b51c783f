"""Bodies that move in the plane: where their centre of mass went, seen from above."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.study.report.figures.style import canvas, names, styled
from pipeline.study.store.runs import Run

SEED_COLOURS: Final = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677",
    "#882255", "#AA4499", "#777777",
)  # fmt: skip


@styled
def traces(runs: Sequence[Run]) -> Figure:
    """Final episodes from their start, one panel per run (SQL 2017, Figure 7)."""
    columns = 2 if len(runs) == 4 else min(len(runs), 3)
    rows = -(-len(runs) // columns)
    figure, axes = canvas(
        rows,
        columns,
        size=(2.9 * columns + 0.5, 2.95 * rows + 0.6),
        sharex=True,
        sharey=True,
    )
    named = names(runs)
    furthest = 0.0
    for panel, run in zip(axes.flat, runs, strict=False):
        path = run.behaviour()["positions"]
        path = path - path[:, :, :1]
        furthest = max(furthest, float(np.nanmax(np.abs(path))))
        for member, episodes in enumerate(path):
            colour = SEED_COLOURS[member % len(SEED_COLOURS)]
            for episode in episodes:
                panel.plot(*episode.T, color=colour, lw=1.1, alpha=0.7)
        panel.plot(0, 0, "o", color="black", ms=3.5, zorder=3)
        panel.set_title(named[run.id])
    for panel in list(axes.flat)[len(runs) :]:
        panel.set_visible(False)
    limit = 1.05 * max(furthest, 1e-3)
    axes[0, 0].set(xlim=(-limit, limit), ylim=(-limit, limit))
    for panel in axes.flat:
        panel.set_aspect("equal")
    figure.supxlabel("x of the centre of mass, from its start (m)", fontsize=9.5)
    figure.supylabel("y (m)", fontsize=9.5)
    figure.legend(
        handles=[
            Line2D([], [], color=SEED_COLOURS[i % len(SEED_COLOURS)], label=str(seed))
            for i, seed in enumerate(runs[0].seeds[: len(SEED_COLOURS)])
        ],
        title="seed",
        loc="outside right upper",
    )
    return figure
