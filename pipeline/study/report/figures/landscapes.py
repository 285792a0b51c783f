"""What a sweep found over pairs of dimensions, and over all of them together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from pipeline.study.params.space import dimensions
from pipeline.study.report.figures.style import short, styled
from pipeline.study.report.figures.sweeps import importances
from pipeline.study.report.figures.tried import (
    BEST,
    MARKS,
    OVER,
    STAR,
    Scale,
    Shades,
    chosen,
    legend,
    others,
)
from pipeline.study.statistics.numbers import digits_for, number
from pipeline.study.sweep.trials import FinishedSweep, Trial

MOST_DIMENSIONS: Final = 4
"""In pairs; of more, those that are the most important."""
FEWEST_POINTS: Final = 8
"""Fewer do not say what is between them."""
LOST: Final[dict[str, Any]] = {"color": OVER, "lw": 0.8, "ls": (0, (3, 2))}
"""Lines of trials that have no value."""
HALO: Final = withStroke(linewidth=3, foreground="white")
ABSENT: Final = -0.16
"""Where a trial is that does not have a dimension, below the axis of it."""

Cells = Mapping[tuple[float, float], float]
"""Mean value of complete trials by place."""


def pairs(sweep: FinishedSweep) -> list[tuple[Scale, Scale]]:
    """Dimensions that complete trials have together, neither because of the other."""
    names = [*(every := dimensions(sweep.space))]
    if len(names) > MOST_DIMENSIONS:
        names = list(dict.fromkeys([*importances(sweep), *names]))[:MOST_DIMENSIONS]
    scales = [Scale(every[name]) for name in sorted(names)]
    return [
        (one, two)
        for one, two in combinations(scales, 2)
        if one.dimension.name not in dict(two.dimension.chosen)
        and any(_place(trial, (one, two)) is not None for trial in sweep.complete)
    ]


@styled
def contour(sweep: FinishedSweep, colour: str) -> Figure:
    """The objective over every pair of dimensions, of which there is one."""
    found, shades = pairs(sweep), Shades.of(sweep, colour)
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    size = {1: (5.6, 4.3), 2: (8.4, 3.9)}.get(columns, (10.2, 3.1 * rows + 0.4))
    figure = Figure(figsize=size)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel in panels.flat[len(found) :]:
        panel.set_visible(False)
    for panel, (along, up) in zip(panels.flat, found, strict=False):
        _pair(panel, sweep, (along, up), shades)
    bar = figure.colorbar(
        ScalarMappable(shades.norm, shades.colours),
        ax=list(panels.flat), label=short(sweep.objective), pad=0.02, aspect=30,
    )  # fmt: skip
    bar.outline.set_visible(False)
    legend(figure, sweep, colour)
    return figure


def _pair(
    axes: Axes, sweep: FinishedSweep, scales: tuple[Scale, Scale], shades: Shades
) -> None:
    along, up = scales
    along.along(axes)
    up.upwards(axes)
    cells = _cells(sweep, scales)
    heat, aside = bool(along.points and up.points), 0.0
    if heat:
        _heat(axes, cells, scales, shades)
        aside = 0.3 / len(up.points)  # numbers are in the middle
    elif not along.points and not up.points:
        _fill(axes, cells, shades)
    for trial in others(sweep):
        place = _place(trial, scales)
        if place is None or (heat and trial.value is not None):
            continue
        look = {"color": OVER, "ls": "", "path_effects": [HALO]} | MARKS[trial.state]
        if trial.value is not None:
            look = MARKS["COMPLETE"] | {"color": shades(trial.value), "ms": 8, "mew": 1}
        axes.plot(place[0], place[1] - aside, clip_on=False, **look)
    if (place := _place(chosen(sweep), scales)) is not None:
        axes.plot(place[0], place[1] + aside, clip_on=False, ls="", **STAR)


def _place(trial: Trial, scales: Sequence[Scale]) -> tuple[float, float] | None:
    """Where a trial is on two axes; None if it does not have both dimensions."""
    names = [scale.dimension.name for scale in scales]
    if not trial.params.keys() >= set(names):
        return None
    x, y = (
        scale.at(trial.params[name]) for scale, name in zip(scales, names, strict=True)
    )
    return x, y


def _cells(sweep: FinishedSweep, scales: Sequence[Scale]) -> Cells:
    values: dict[tuple[float, float], list[Any]] = defaultdict(list)
    for trial in sweep.complete:
        if (place := _place(trial, scales)) is not None:
            values[place].append(trial.value)
    return {place: float(np.mean(found)) for place, found in values.items()}


def _fill(axes: Axes, cells: Cells, shades: Shades) -> None:
    """Filled contours, where the points are enough and not on one line."""
    if len(cells) < FEWEST_POINTS:
        return
    places = np.array([*cells])
    if np.linalg.matrix_rank(places - places.mean(axis=0), tol=1e-3) < 2:
        return
    values = np.clip([*cells.values()], shades.norm.vmin, shades.norm.vmax)
    levels = np.array(MaxNLocator(9).tick_values(values.min(), values.max()))
    axes.grid(visible=False)
    x, y = places.T
    axes.tricontourf(x, y, values, levels, cmap=shades.colours, norm=shades.norm)


def _heat(
    axes: Axes, cells: Cells, scales: tuple[Scale, Scale], shades: Shades
) -> None:
    """A cell for every pair of choices, with the mean of its trials written in it."""
    wide, high = (len(scale.points) for scale in scales)
    grid = np.full((high, wide), np.nan)
    digits = digits_for(*cells.values())
    for (x, y), value in cells.items():
        grid[int(y * high), int(x * wide)] = value
        dark = np.dot(shades(value)[:3], (0.3, 0.6, 0.1)) < 0.55
        axes.text(
            x, y, number(value, digits), ha="center", va="center", fontsize=8.5,
            color="white" if dark else "#333333",
        )  # fmt: skip
    axes.pcolormesh(
        np.linspace(0, 1, wide + 1), np.linspace(0, 1, high + 1), grid,
        cmap=shades.colours, norm=shades.norm, edgecolor="white", lw=1.5,
    )  # fmt: skip


# ------------------------------------------------------------------------- parallel


@styled
def parallel(sweep: FinishedSweep, colour: str) -> Figure:
    """One line for every trial through what it tried to what came of it."""
    scales = [Scale(dimension) for dimension in dimensions(sweep.space).values()]
    figure = Figure(figsize=(max(7.4, 1.75 * (len(scales) + 1)), 4.4))
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set(ylim=(-0.05, 1.05), xlim=(-0.2, len(scales) + 0.15), yticks=[])
    if any(scale.dimension.chosen for scale in scales):
        axes.set_ylim(bottom=ABSENT - 0.05)
    names = [scale.dimension.name.replace(".", ".\n") for scale in scales]
    axes.set_xticks(range(len(scales) + 1), [*names, short(sweep.objective)])
    axes.tick_params(axis="x", length=0, top=True, labeltop=True, labelbottom=False)
    values = np.array([trial.value for trial in sweep.complete], float)
    low, high = float(values.min()), float(values.max())
    high = high if high > low else low + 1
    for at, scale in enumerate(scales):
        absent = {ABSENT: "inactive"} if scale.dimension.chosen else {}
        _axis(axes, at, scale.ticks() | absent, side="left")
    numbers = MaxNLocator(5).tick_values(low, high)
    inside = [x for x in numbers if low <= x <= high]
    written = {
        (x - low) / (high - low): f"{x:g}".replace("-", "\u2212") for x in inside
    }
    _axis(axes, len(scales), written, side="right")
    shades, best = Shades.of(sweep, colour), chosen(sweep)
    for trial in [*others(sweep), best]:
        heights = [_height(trial, scale, low, high) for scale in scales]
        look = LOST
        if trial.value is not None:
            heights.append((trial.value - low) / (high - low))
            look = {"color": shades(trial.value), "lw": 1.5}
        if trial is best:
            look = {"color": BEST, "lw": 2.6, "zorder": 4}
        axes.plot(heights, **look)
    handles = [
        Line2D([], [], color=colour, lw=1.5, label="complete"),
        Line2D([], [], label="pruned or failed", **LOST),
        Line2D([], [], color=BEST, lw=2.6, label=f"best: trial {best.number}"),
    ]
    some_lost = len(sweep.complete) < len(sweep.trials)
    handles = handles if some_lost else [handles[0], handles[2]]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _height(trial: Trial, scale: Scale, low: float, high: float) -> float:
    """Where a trial crosses an axis; those of one choice in the order of values."""
    if (name := scale.dimension.name) not in trial.params:
        return ABSENT
    height = scale.at(trial.params[name])
    if not scale.points:
        return height
    share = 0.0 if trial.value is None else (trial.value - low) / (high - low)
    return height + 0.6 * (share - 0.5) / len(scale.points)


def _axis(
    axes: Axes, x: int, ticks: Mapping[float, str], *, side: Literal["left", "right"]
) -> None:
    axes.plot([x, x], [0, 1], color="#555555", lw=1, zorder=3)
    away, towards = (-6, "right") if side == "left" else (6, "left")
    for y, text in ticks.items():
        axes.plot(x, y, "_", color="#555555", ms=6, zorder=3)
        axes.annotate(
            text, (x, y), (away, 0), textcoords="offset points", ha=towards,
            va="center", fontsize=8.5, zorder=5, path_effects=[HALO],
        )  # fmt: skip
