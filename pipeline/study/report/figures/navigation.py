"""Bodies in worlds: where episodes go, and which places they see."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure

from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.navigation.world import START_BOUND, World
from pipeline.study.report.figures import exact, nearness, style, worlds
from pipeline.study.report.figures import traces as plane
from pipeline.study.report.figures.traces import Array, Walks
from pipeline.study.report.figures.worlds import world_of
from pipeline.study.store.runs import Run

X: Final = f"x ({worlds.LENGTH})"
Y: Final = f"y ({worlds.LENGTH})"
TIME: Final = "steps of the episode"
CELLS: Final = 48
"""Along each axis of a picture of visits."""
SHADES: Final = LinearSegmentedColormap.from_list(
    "visits", ["#DCEBF7", "#6BAED6", "#2166AC", "#08204A"]
)


def hottest_first(runs: Sequence[Run]) -> list[Run]:
    """The runs of each algorithm from the highest temperature to the lowest."""
    return [
        run
        for alike in style.by_algorithm(runs)
        for run in sorted(alike, key=lambda run: -(run.temperature or 0.0))
    ]


def _walks(runs: Sequence[Run], episodes: Mapping[str, Array]) -> list[Walks]:
    """Of runs, then of exact policies: title to `[episode, time, 2]`."""
    return Walks.of_runs(runs) + [
        Walks(title, positions[None], plane.EXACT_COLOURS)
        for title, positions in episodes.items()
    ]


def _reach(world: World, walks: Sequence[Walks]) -> float:
    """The whole plane; where nobody is to come anywhere, as much as anybody saw."""
    if world.targets:
        return world.half_width
    least = START_BOUND if world.finish_line is None else abs(world.finish_line) + 1
    low, high = world.boxes[:, 0], world.boxes[:, 1]
    away = np.maximum(low - world.start, world.start - high).max(initial=0.0, axis=-1)
    least = max(least, 1.5 * float(away.max(initial=0.0)))
    return min(world.half_width, max(1.05 * plane.furthest(walks), least))


# ------------------------------------------------------------------------- overviews


@style.styled
def traces(runs: Sequence[Run], episodes: Mapping[str, Array]) -> Figure:
    """Final episodes of all seeds, a panel for each run and exact policy."""
    walks, world = _walks(runs, episodes), world_of(runs[0])
    figure, panels = plane.panels(len(walks))
    reach, on_a_line = _reach(world, walks), is_on_a_line(runs[0])
    for panel, each in zip(panels, walks, strict=True):
        (_along if on_a_line else _trace)(panel, each, world, reach)
    _name_axes(figure, *((TIME, X) if on_a_line else (X, Y)))
    plane.name_seeds(figure, runs[0].seeds)
    return figure


@style.styled
def visits(runs: Sequence[Run], episodes: Mapping[str, Array]) -> Figure:
    """How often places are visited in final episodes, of all seeds together."""
    walks, world = _walks(runs, episodes), world_of(runs[0])
    figure, panels = plane.panels(len(walks))
    scale = _heat(panels, walks, world)
    _name_axes(figure, X, Y)
    figure.colorbar(
        scale, ax=panels, shrink=0.8, label=f"share of steps per {_cell(world, walks)}"
    )
    return figure


def is_on_a_line(run: Run) -> bool:
    """Whether its body only moves along x: from above there is nothing to see."""
    assert isinstance(run.task, Navigation)
    return run.task.moves.on_a_line


def _name_axes(figure: Figure, x: str, y: str) -> None:
    figure.supxlabel(x, fontsize=9.5)
    figure.supylabel(y, fontsize=9.5)


# ----------------------------------------------------------------------- one by itself


@style.styled
def behaviour(run: Run) -> Figure:
    """Traces and visits of one run, and how near it came, if that is recorded."""
    walks, world, names = Walks.of_runs([run]), world_of(run), nearness.recorded([run])
    reach, planes = _reach(world, walks), 1 if is_on_a_line(run) else 2
    columns = planes + len(names)
    figure, (axes,) = style.canvas(1, columns, size=(3.2 * columns, 3.3))
    if is_on_a_line(run):
        _along(axes[0], walks[0], world, reach)
        axes[0].set(xlabel=TIME, ylabel=X)
    else:
        _trace(axes[0], walks[0], world, reach)
        scale = _heat(axes[1:2], walks, world)
        axes[1].set_title(f"share of steps per {_cell(world, walks)}")
        figure.colorbar(scale, ax=axes[1], shrink=0.8)
        for panel in axes[:2]:
            panel.set(xlabel=X, ylabel=Y)
    axes[0].set_title("final episodes")
    for panel, name in zip(axes[planes:], names, strict=True):
        panel.set_title(nearness.panel_of(panel, run, name))
        panel.set(xlabel=style.STEPS, ylabel=nearness.LABELS[name])
        panel.legend(loc="upper right", framealpha=0.8, frameon=True, fontsize=7.5)
    figure.suptitle(style.describe(run))
    return figure


@style.styled
def oracle(data: Mapping[str, Array], task: Navigation, title: str) -> Figure:
    """V* where it is one of places, episodes, visits, and actions in some states."""
    walks = [Walks("episodes", data["positions"][None], plane.EXACT_COLOURS)]
    of_places = task.body == "point"
    states = data.get("probe_states", np.zeros((0, 2)))
    rows, columns = plane.shape(2 + of_places + len(states))
    size = (3.1 * columns, 2.9 * rows + 0.4)
    figure, axes = style.canvas(rows, columns, size=size)
    free = iter(axes.flat)
    if of_places:
        _value(next(free), data["v"], task.place)
    _trace(next(free), walks[0], task.place, _reach(task.place, walks))
    seen = next(free)
    figure.colorbar(_heat([seen], walks, task.place), ax=seen, shrink=0.75)
    seen.set_title("share of steps")
    for state, masses in zip(states, data.get("probe_masses", ()), strict=True):
        panel = next(free)
        exact.density(panel, masses, exact.ORACLE, masses.max())
        panel.set_title(f"actions at {exact.place(state)}")
    for panel in free:
        panel.set_visible(False)
    figure.suptitle(title)
    return figure


# ----------------------------------------------------------------------------- panels


def _trace(axes: Axes, walks: Walks, world: World, reach: float) -> None:
    plane.draw(axes, walks)
    worlds.ground(axes, world)
    worlds.within(axes, reach)


def _along(axes: Axes, walks: Walks, world: World, reach: float) -> None:
    """Where a body on a line is, over the steps of its episodes."""
    plane.draw(axes, walks.over_time)
    axes.set(xlim=(0, walks.positions.shape[-2] - 1), ylim=(-reach, reach))
    if world.finish_line is not None:
        axes.axhline(world.finish_line, **worlds.LINE)


def _value(axes: Axes, v: Array, world: World) -> None:
    """V* over places, under the walls."""
    end = world.half_width
    image = axes.imshow(
        v.T, origin="lower", extent=(-end, end, -end, end), cmap="Blues"
    )
    worlds.ground(axes, world)
    worlds.within(axes, end)
    axes.set_title("V* (reward units)")
    figure = axes.figure
    assert isinstance(figure, Figure)
    figure.colorbar(image, ax=axes, shrink=0.75)


def _cell(world: World, walks: Sequence[Walks]) -> str:
    side = 2 * _reach(world, walks) / CELLS
    return f"cell of {side:.2g} × {side:.2g}"


def _heat(
    panels: Sequence[Axes], walks: Sequence[Walks], world: World
) -> ScalarMappable:
    """Visits of the places of a world, in shades of one logarithmic scale."""
    reach = _reach(world, walks)
    edges = np.linspace(-reach, reach, CELLS + 1)
    shares = []
    for each in walks:
        places = each.positions[np.isfinite(each.positions).all(axis=-1)]
        counts, *_ = np.histogram2d(places[:, 0], places[:, 1], bins=(edges, edges))
        shares.append(np.ma.masked_equal(counts / max(len(places), 1), 0))
    seen = np.concatenate([share.compressed() for share in shares])
    norm = LogNorm(seen.min(initial=0.01), seen.max(initial=0.02))
    for panel, each, share in zip(panels, walks, shares, strict=True):
        panel.pcolormesh(edges, edges, share.T, cmap=SHADES, norm=norm)
        worlds.ground(panel, world)
        worlds.within(panel, reach)
        panel.set_title(each.title)
    return ScalarMappable(norm, SHADES)
