"""Episodes seen from above, in panels beside each other, a colour for each seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.study.report.figures.style import canvas, lines, names
from pipeline.study.store.runs import Run

Array = npt.NDArray[Any]

COLUMNS: Final = 3
SEED_COLOURS: Final = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677",
    "#882255", "#AA4499", "#777777",
)  # fmt: skip
EXACT_COLOURS: Final = ("#1B1B1B",)
"""Of the exact policy, which has no seeds."""
MOST_LINES: Final = 240
"""In a panel; with more of them none can be followed."""


@dataclass(frozen=True)
class Walks:
    """The episodes of a run, or of an exact policy, and what they are called."""

    title: str
    positions: Array
    """`[seed, episode, time, 2]`, NaN after the end."""
    colours: Sequence[str] = SEED_COLOURS

    @classmethod
    def of_runs(cls, runs: Sequence[Run]) -> "list[Walks]":
        """Of each run the final episodes that were kept."""
        named = names(runs)
        return [cls(named[run.id], run.behaviour()["positions"]) for run in runs]

    @property
    def over_time(self) -> "Walks":
        """The same with the steps of the episode in place of x, and x in place of y."""
        x = self.positions[..., 0]
        time = np.broadcast_to(np.arange(x.shape[-1]), x.shape)
        return replace(self, positions=np.stack([time, x], axis=-1))


def shape(count: int) -> tuple[int, int]:
    """Rows and columns for so many panels."""
    columns = 2 if count == 4 else min(count, COLUMNS)
    return -(-count // columns), columns


def panels(count: int, *, height: float = 2.95) -> tuple[Figure, list[Axes]]:
    """A figure of panels with the same axes, as many as are needed; `height` of each.

    It is in inches, and 2.95 lets them be square.
    """
    rows, columns = shape(count)
    size = (2.9 * columns + 0.9, height * rows + 0.6)
    figure, axes = canvas(rows, columns, size=size, sharex=True, sharey=True)
    figure.set_layout_engine("constrained", h_pad=0.1)
    shown, others = list(axes.flat)[:count], list(axes.flat)[count:]
    for panel in others:
        panel.set_visible(False)
    for panel in shown[-columns:]:  # the lowest of each column has the numbers
        panel.tick_params(labelbottom=True)
    return figure, shown


def draw(axes: Axes, walks: Walks) -> None:
    """The first episodes of every seed."""
    each = max(1, MOST_LINES // len(walks.positions))
    for member, episodes in enumerate(walks.positions):
        colour = walks.colours[member % len(walks.colours)]
        lines(axes, episodes[:each], colour, alpha=0.6)
    axes.set_title(walks.title)


def furthest(walks: Sequence[Walks]) -> float:
    """The largest coordinate of any place."""
    places = [each.positions[np.isfinite(each.positions)] for each in walks]
    return float(np.abs(np.concatenate(places)).max(initial=0.0))


def name_seeds(figure: Figure, seeds: Sequence[int]) -> None:
    """A legend, while every seed has a colour of its own."""
    if len(seeds) > len(SEED_COLOURS):
        return
    handles = [
        Line2D([], [], color=colour, label=str(seed))
        for colour, seed in zip(SEED_COLOURS, seeds, strict=False)
    ]
    figure.legend(handles=handles, title="seed", loc="outside right upper")
