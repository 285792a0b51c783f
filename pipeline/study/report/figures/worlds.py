"""Worlds from above: walls, blocked passages, targets, the finish line, the start."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from pipeline.core.tasks.geometry import Box
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.navigation.world import TARGET_RADIUS, World
from pipeline.study.report.figures.style import canvas, styled
from pipeline.study.store.runs import Run

Look: TypeAlias = dict[str, Any]

COLUMNS: Final = 4
WALL: Final = "#555555"
BLOCKED: Final[Look] = {"fc": "#F2D5C4", "ec": "#9A4A1C", "hatch": "/////"}
"""What closes a passage."""
OPEN: Final[Look] = {"fc": "none", "ec": "#1B6E53", "ls": ":"}
TARGET: Final = "#8E2460"
LINE: Final[Look] = {"color": "#1F5FA8", "ls": "--", "lw": 1.4, "zorder": 3}
LENGTH: Final = "units of length"


def ground(axes: Axes, world: World) -> None:
    """What is in a world; it is above what was drawn before, but for lines."""
    for box in world.walls:
        _box(axes, box, color=WALL)
    if world.passages is not None:
        for box in world.passages.blocked:
            _box(axes, box, **BLOCKED)
        for box in world.passages.open:
            _box(axes, box, **OPEN)
    for target in world.targets:
        axes.add_patch(
            Circle(target, TARGET_RADIUS, fill=False, ec=TARGET, lw=1.6, zorder=3)
        )
    if world.finish_line is not None:
        axes.axvline(world.finish_line, **LINE)
    axes.plot(*world.start, "o", color="black", ms=4, mec="white", mew=0.8, zorder=4)
    axes.grid(visible=False)


def _box(axes: Axes, box: Box, **look: Any) -> None:
    width, height = box.high[0] - box.low[0], box.high[1] - box.low[1]
    axes.add_patch(Rectangle(box.low, width, height, lw=1.0, zorder=2.5, **look))


def within(axes: Axes, reach: float) -> None:
    """Show the plane up to a distance from its middle, as wide as high."""
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    for spine in axes.spines.values():
        spine.set_visible(True)


@styled
def picture(worlds: Mapping[str, World]) -> Figure:
    """Worlds beside each other, each by its name; only what is there is explained."""
    columns = min(len(worlds), COLUMNS)
    rows = -(-len(worlds) // columns)
    side = 2.5 if len(worlds) > 1 else 3.6
    size = (side * columns + 0.4, (side + 0.2) * rows + 0.7)
    figure, axes = canvas(rows, columns, size=size)
    for panel in list(axes.flat)[len(worlds) :]:
        panel.set_visible(False)
    for panel, (name, world) in zip(axes.flat, worlds.items(), strict=False):
        ground(panel, world)
        within(panel, world.half_width)
        panel.set_title(name)
    figure.supxlabel(f"x ({LENGTH})", fontsize=9.5)
    figure.supylabel(f"y ({LENGTH})", fontsize=9.5)
    figure.legend(
        handles=_legend(list(worlds.values())),
        loc="outside upper center",
        ncols=6 if columns > 2 else 3,
    )
    return figure


def _legend(worlds: list[World]) -> list[Line2D | Patch]:
    found: list[Line2D | Patch] = [
        Line2D([], [], color="black", marker="o", ms=4, ls="", label="start")
    ]
    if any(world.walls for world in worlds):
        found.append(Patch(facecolor=WALL, label="wall"))
    if any(world.passages for world in worlds):
        found += [
            Patch(label="blocked passage", **BLOCKED),
            Patch(label="open passage", **OPEN),
        ]
    if any(world.targets for world in worlds):
        found.append(
            Line2D([], [], color=TARGET, marker="o", mfc="none", ms=8, ls="",
                   mew=1.6, label="target")
        )  # fmt: skip
    if any(world.finish_line is not None for world in worlds):
        found.append(Line2D([], [], label="finish line", **LINE))
    return found


def world_of(run: Run) -> World:
    """The world that a run is in."""
    assert isinstance(run.task, Navigation)
    return run.task.place
