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
from pipeline.study.statistics.threshold import StepsToThreshold
from pipeline.study.store.runs import Run

LINES_PER_PANEL: Final = 4
"""More bands than this overlap too much to be read: a panel for each algorithm."""
PAIRS_PER_PANEL: Final = 3
"""The same of bands that come in twos, pretrained and from scratch."""
AIM: Final[dict[str, Any]] = {"color": "#555555", "lw": 0.9, "zorder": 1.5}
"""How a threshold return and a budget are drawn."""


@style.styled
def learning(
    bands: Sequence[Band], metric: str, threshold: float | None = None
) -> Figure:
    """IQM over seeds in the course of training, with its interval at each step.

    A threshold of the metric is a thin line.
    """
    groups = _panels(bands)
    width = 6.4 if len(bands) <= LINES_PER_PANEL else 8.0
    figure, axes = style.canvas(
        1,
        len(groups),
        size=(width, 3.6) if len(groups) == 1 else (4.3 * len(groups), 3.6),
        sharex=True,
        sharey=True,
    )
    runs = [band.run for band in bands]
    named, look = style.names(runs), style.looks(runs)
    for panel, (title, members) in zip(axes[0], groups.items(), strict=True):
        for band in members:
            _band(panel, band, named[band.run.id], look[band.run.id])
        if threshold is not None:
            panel.axhline(threshold, label="threshold return", **AIM)
        panel.set(xlabel=style.STEPS, title=title)
        panel.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        panel.xaxis.set_major_formatter(EngFormatter(sep=""))
        if len(groups) == 1 and len(bands) > LINES_PER_PANEL:
            figure.legend(loc="outside right upper", handlelength=2.6)
        elif panel.lines:
            panel.legend(loc="best", handlelength=2.6)
    axes[0, 0].set_ylabel(style.METRICS.get(metric, metric))
    axes[0, 0].set_xlim(left=0)
    return figure


def _panels(bands: Sequence[Band]) -> dict[str, list[Band]]:
    """All in one, or one per algorithm with DDPG in each for comparison."""
    of_run = {band.run.id: band for band in bands}
    by_title = {
        alike[0].algorithm.title: [of_run[run.id] for run in alike]
        for alike in style.by_algorithm([band.run for band in bands])
    }
    in_twos = len({band.run.stage for band in bands}) > 1
    if len(bands) <= (2 * PAIRS_PER_PANEL if in_twos else LINES_PER_PANEL):
        return {"": [band for alike in by_title.values() for band in alike]}
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
        values = run.final[metric][np.isfinite(run.final[metric])]
        seeds = np.full(len(values), row + 0.27)
        colour = run.algorithm.colour
        axes.plot(values, seeds, "o", color=colour, ms=4.5, alpha=0.35, mew=0)
        _mean(axes, row, colour, entry)
    _name_rows(axes, runs)
    axes.set_xlabel(style.METRICS.get(metric, metric))
    return figure


@style.styled
def steps_to_threshold(
    runs: Sequence[Run],
    steps: Sequence[StepsToThreshold],
    entries: Sequence[dict[str, Any]],
) -> Figure:
    """IQM and interval of the steps of each run, above one dot per seed.

    A seed that never got there is a ring at the end of its budget. Each has a height of
    its own, as many get there at one evaluation.
    """
    figure, ((axes,),) = style.canvas(1, 1, size=(7.4, 0.5 * len(runs) + 0.9))
    rows = zip(runs, steps, entries, strict=True)
    for row, (run, found, entry) in enumerate(rows):
        colour, never = run.algorithm.colour, np.isnan(found.steps)
        heights = row + np.linspace(0.0, 0.36, len(run.seeds))
        dots = {"color": colour, "ms": 4.0, "ls": "", "marker": "o"}
        axes.plot(found.counted[~never], heights[~never], alpha=0.6, mew=0, **dots)
        axes.plot(found.counted[never], heights[never], mfc="white", mew=0.9, **dots)
        axes.plot([found.budget] * 2, [row - 0.42, row + 0.42], **AIM)
        _mean(axes, row - 0.25, colour, entry)
    _name_rows(axes, runs)
    axes.set_xlim(left=0)
    axes.set_xlabel(style.METRICS["steps_to_threshold"])
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    return figure


def _mean(axes: Axes, height: float, colour: str, entry: dict[str, Any]) -> None:
    """An IQM as a tick on the bar of its interval."""
    iqm, *ends = np.array([entry[name] for name in ("iqm", "low", "high")], float)
    axes.plot(ends, [height] * 2, color=colour, lw=3, solid_capstyle="butt")
    axes.plot(iqm, height, "|", color=colour, ms=13, mew=2.4)


def _name_rows(axes: Axes, runs: Sequence[Run]) -> None:
    axes.set_yticks(range(len(runs)), style.names(runs).values())
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(runs) - 0.5, -0.5)
