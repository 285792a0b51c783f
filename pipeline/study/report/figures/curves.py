"""Learning curves with bands, and final scores with intervals."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from pipeline.core.agents.settings import Ddpg
from pipeline.study.report.figures import style
from pipeline.study.statistics.curves import Band
from pipeline.study.store.runs import Run

LINES_PER_PANEL: Final = 4
"""More bands than this overlap too much to be read: a panel for each algorithm."""


@style.styled
def learning(bands: Sequence[Band], metric: str) -> Figure:
    """IQM over seeds in the course of training, with its interval at each step."""
    groups = _panels(bands)
    figure, axes = style.canvas(
        1,
        len(groups),
        size=(6.4, 3.6) if len(groups) == 1 else (4.3 * len(groups), 3.6),
        sharex=True,
        sharey=True,
    )
    runs = [band.run for band in bands]
    named, look = style.names(runs), style.looks(runs)
    for panel, (title, members) in zip(axes[0], groups.items(), strict=True):
        for band in members:
            _band(panel, band, named[band.run.id], look[band.run.id])
        panel.set(xlabel=style.STEPS, title=title)
        panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        panel.xaxis.set_major_formatter(EngFormatter(sep=""))
        if panel.lines:
            panel.legend(loc="best", handlelength=2.6)
    axes[0, 0].set_ylabel(style.METRICS.get(metric, metric))
    axes[0, 0].set_xlim(left=0)
    return figure


def _panels(bands: Sequence[Band]) -> dict[str, list[Band]]:
    """All in one, or one per algorithm with DDPG in each for comparison."""
    if len(bands) <= LINES_PER_PANEL:
        return {"": list(bands)}
    of_run = {band.run.id: band for band in bands}
    by_title = {
        alike[0].algorithm.title: [of_run[run.id] for run in alike]
        for alike in style.by_algorithm([band.run for band in bands])
    }
    baseline = by_title.pop(Ddpg.title, [])
    groups = {title: alike + baseline for title, alike in by_title.items()}
    return groups or {Ddpg.title: baseline}


def _band(axes: Axes, band: Band, label: str, look: dict[str, Any]) -> None:
    if not band.steps:
        return
    drawn = np.array([(one.estimate, one.low, one.high) for one in band.intervals])
    drawn[np.isinf(drawn)] = np.nan
    iqm, low, high = drawn.T
    axes.fill_between(band.steps, low, high, color=look["color"], alpha=0.16, lw=0)
    axes.plot(band.steps, iqm, lw=1.9, label=label, **look)


@style.styled
def finals(runs: Sequence[Run], entries: Sequence[dict[str, Any]]) -> Figure:
    """IQM and interval of each run's objective, above one dot per seed.

    Of runs of one task; `entries` say what `metrics.json` does about its objective.
    """
    metric = runs[0].task.objective
    figure, ((axes,),) = style.canvas(1, 1, size=(7.4, 0.36 * len(runs) + 0.9))
    for row, (run, entry) in enumerate(zip(runs, entries, strict=True)):
        colour = run.algorithm.colour
        values = run.final[metric][np.isfinite(run.final[metric])]
        seeds = np.full(len(values), row + 0.27)
        axes.plot(values, seeds, "o", color=colour, ms=4.5, alpha=0.35, mew=0)
        iqm, *ends = np.array([entry[name] for name in ("iqm", "low", "high")], float)
        axes.plot(ends, [row, row], color=colour, lw=3, solid_capstyle="butt")
        axes.plot(iqm, row, "|", color=colour, ms=13, mew=2.4)
    axes.set_yticks(range(len(runs)), style.names(runs).values())
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set(ylim=(len(runs) - 0.5, -0.5), xlabel=style.METRICS.get(metric, metric))
    return figure
