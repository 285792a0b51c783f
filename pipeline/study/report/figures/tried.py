"""How trials look in every figure of a sweep: their marks, colours and axes."""

import json
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pipeline.study.params.ranges import Choice, Integer, LogUniform, Point
from pipeline.study.params.space import Dimension
from pipeline.study.sweep.trials import FinishedSweep, Trial
from pipeline.study.sweep.work import State

BEST: Final = "#C2185B"
OVER: Final = "#8A8A8A"
"""The colour of trials that were pruned or failed."""
MARKS: Final[dict[State, dict[str, Any]]] = {
    "COMPLETE": {"marker": "o", "ms": 6.5, "mec": "white", "mew": 0.6},
    "PRUNED": {"marker": "v", "ms": 5.5, "mfc": "white", "mec": OVER, "mew": 1.1},
    "FAIL": {"marker": "x", "ms": 6, "mec": OVER, "mew": 1.3},
}
STAR: Final[dict[str, Any]] = {
    "marker": "*", "ms": 15, "color": BEST, "mec": "white", "mew": 0.8, "zorder": 5,
}  # fmt: skip
STATES: Final[dict[State, str]] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
}
MOST_TICKS: Final = 5
MOST_CELLS: Final = 6
"""A range of no more numbers than this is shown as choices."""
LONGEST_LABEL: Final = 16
ROOM: Final = 30
"""For characters below a chart."""
EDGE: Final = 0.04
"""Left free beyond the ends of a range."""


@dataclass(frozen=True)
class Shades:
    """The colour of an algorithm, the deeper the larger a trial's value is."""

    colours: Colormap
    norm: Normalize

    @classmethod
    def of(cls, sweep: FinishedSweep, colour: str) -> "Shades":
        """From the values of a sweep; the lowest tenth of them look alike."""
        values = np.array([trial.value for trial in sweep.complete], float)
        low, high = float(np.quantile(values, 0.1)), float(np.max(values))
        base = np.array(to_rgb(colour))
        colours = LinearSegmentedColormap.from_list(
            "values", [0.25 * base + 0.75, 0.65 * base + 0.35, base, 0.55 * base]
        )
        return cls(colours, Normalize(low, high if high > low else low + 1, clip=True))

    def __call__(self, value: Any) -> Any:
        """The colour of one value."""
        return self.colours(self.norm(value))


def chosen(sweep: FinishedSweep) -> Trial:
    """The best trial."""
    number: int = sweep.best["trial"]
    return sweep.trials[number]


def others(sweep: FinishedSweep) -> list[Trial]:
    """Every trial but the best, those with low values first: they are drawn below."""
    rest = [trial for trial in sweep.trials if trial.number != sweep.best["trial"]]
    return sorted(rest, key=lambda trial: (trial.value is not None, trial.value or 0))


def reached(trial: Trial) -> float | None:
    """The trial's value, or what it had when it was pruned, if that is a number."""
    if trial.value is not None or trial.state == "FAIL":
        return trial.value
    return trial.statistics[max(trial.statistics)] if trial.statistics else None


def legend(figure: Figure, sweep: FinishedSweep, colour: str, *more: Line2D) -> None:
    """Say below a figure what the marks are that this sweep has, and more."""
    states = {trial.state for trial in sweep.trials}
    handles = [
        Line2D([], [], ls="", color=colour, label=text, **MARKS[state])
        for state, text in STATES.items()
        if state in states
    ]
    best = f"best: trial {sweep.best['trial']}"
    handles.append(Line2D([], [], ls="", label=best, **STAR | {"ms": 11}))
    handles += more
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


# ----------------------------------------------------------------------------- axes


@dataclass(frozen=True)
class Scale:
    """An axis from 0 to 1 for what is tried for one dimension."""

    dimension: Dimension

    @property
    def points(self) -> tuple[Point, ...]:
        """What is chosen from, numbers in their order; none, where that is too much."""
        range_ = self.dimension.range
        if not isinstance(range_, Choice):
            return range_.values if (range_.count or 0) <= MOST_CELLS else ()
        points = range_.values
        numbers = [
            point
            for point in points
            if isinstance(point, int | float) and not isinstance(point, bool)
        ]
        return points if len(numbers) < len(points) else tuple(sorted(numbers))

    @property
    def limits(self) -> tuple[float, float]:
        """Of the axis: choices have cells of their own, ranges have free ends."""
        return (0.0, 1.0) if self.points else (-EDGE, 1 + EDGE)

    def at(self, point: Any) -> float:
        """Where a point is along the axis."""
        if self.points:
            return (self.points.index(point) + 0.5) / len(self.points)
        low, high = self.dimension.range.bounds  # type: ignore[union-attr]
        if isinstance(self.dimension.range, LogUniform):
            start, end = math.log(low), math.log(high)
            return (math.log(point) - start) / (end - start)
        return float((point - low) / (high - low))

    def ticks(self) -> dict[float, str]:
        """Places along the axis and what is written there."""
        if self.points:
            return {self.at(point): _label(point) for point in self.points}
        low, high = self.dimension.range.bounds  # type: ignore[union-attr]
        match self.dimension.range:
            case LogUniform():
                numbers = _decades(low, high)
            case range_:
                numbers = _even(low, high, whole=isinstance(range_, Integer))
        return {self.at(x): f"{x:g}" for x in numbers}

    def along(self, axes: Axes) -> None:
        """Make it the x axis of a chart, labels aslant where they need the room."""
        ticks, options = self.ticks(), dict[str, Any]()
        if sum(map(len, ticks.values())) > ROOM:
            options = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks([*ticks], [*ticks.values()], **options)
        axes.grid(visible=not self.points, axis="x")
        axes.set(xlim=self.limits, xlabel=self.dimension.name)

    def upwards(self, axes: Axes) -> None:
        """Make it the y axis of a chart."""
        ticks = self.ticks()
        axes.set_yticks([*ticks], [*ticks.values()])
        axes.grid(visible=not self.points, axis="y")
        axes.set(ylim=self.limits, ylabel=self.dimension.name)

    def label(self) -> str:
        """The name, and on which choices it depends."""
        names: dict[str, list[str]] = {}
        for name, point in self.dimension.chosen:
            names.setdefault(name, []).append(_label(point))
        where = [f"{name}: {' or '.join(points)}" for name, points in names.items()]
        return "\n".join([self.dimension.name, *(f"(with {text})" for text in where)])


def _decades(low: float, high: float) -> list[float]:
    """Round numbers between two bounds, at most a handful."""
    lowest, highest = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for digits in ((1,), (1, 3), (1, 2, 5)):
        powers = range(lowest, highest + 1)
        numbers = [float(f"{digit}e{power}") for power in powers for digit in digits]
        inside = [x for x in numbers if low <= x <= high]
        if len(inside) > 2:
            return inside[:: math.ceil(len(inside) / MOST_TICKS)]
    return _even(low, high, whole=False)


def _even(low: float, high: float, *, whole: bool) -> list[float]:
    """Round numbers between two bounds, in equal steps."""
    locator = MaxNLocator(MOST_TICKS - 1, integer=whole, steps=[1, 2, 2.5, 5, 10])
    numbers = locator.tick_values(low, high)
    rounding = 1e-9 * (high - low)
    return [x for x in numbers if low <= x <= high + rounding]


def _label(point: Point) -> str:
    """What a choice is called in `params.yaml`, or its beginning."""
    if isinstance(point, float):
        return f"{point:g}"
    text = point if isinstance(point, str) else json.dumps(point)
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
