"""One look for all figures: an algorithm has one colour, a goal has one colour.

Colours are told apart with any colour vision; runs of one algorithm also differ in
lightness and dashes. A figure is drawn without pyplot, hence without global state, and
the bytes of its PNG depend on nothing but the data and the version of matplotlib.
"""

import io
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final, ParamSpec, TypeAlias, get_args

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.learner import Learner
from pipeline.study.store.runs import Run

P = ParamSpec("P")
Grid: TypeAlias = npt.NDArray[Any]

ALGORITHMS: Final[tuple[type[Learner], ...]] = get_args(get_args(Algorithm)[0])
"""Every kind of learner, in the order in which figures show them."""
GOAL_COLOURS: Final = ("#1B9E8A", "#8E2460", "#D9A400", "#6A5ACD")
"""Of goals in the order of the task; a fifth looks like the first."""
NO_GOAL: Final = "#C4C4C4"
DASHES: Final = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))

METRICS: Final = {
    "return": "return (reward units)",
    "multi_goal_score": "multi-goal score (1: all goals equally often)",
    "goals_reached": "goals reached",
    "goal_entropy": "entropy over goals (nats)",
    "success": "successful episodes (share)",
    "past_line": "episodes that end past the line (share)",
    "target_distance": "least distance to a target (units of length)",
    "distance": "distance moved (units of length)",
    "forward_distance": "distance moved along x (units of length)",
    "direction_spread": "spread of directions (0: all one way)",
    "forward": "episodes that end ahead of their start (share)",
    "backward": "episodes that end behind their start (share)",
    "steps_to_threshold": "steps to the threshold return",
    "probability_of_improvement": "P(better than comparator)",
}
"""How the axis of a metric is labelled, or its column."""

STEPS: Final = "environment steps"

STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "figure.facecolor": "white",
    "savefig.dpi": 120,
}


def styled(draw: Callable[P, Figure]) -> Callable[P, bytes]:
    """Draw in the house style and return the PNG."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> bytes:
        with mpl.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            content = io.BytesIO()
            figure.dpi = mpl.rcParams["savefig.dpi"]
            # `savefig` would draw it twice, once for the layout alone.
            canvas: Any = FigureCanvasAgg(figure)
            canvas.print_png(content, metadata={"Software": None})
        return content.getvalue()

    return drawn


def canvas(
    rows: int, columns: int, *, size: tuple[float, float], **options: Any
) -> tuple[Figure, Grid]:
    """A figure and its axes, `[row, column]`.

    Its size is in inches; the options are those of `Figure.subplots`.
    """
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def describe(run: Run) -> str:
    """A run in a legend: its algorithm, where it began, its temperature."""
    title = run.algorithm.title
    if run.start is not None:
        return f"{title}, pretrained"
    if run.stage == "scratch":
        return f"{title}, from scratch"
    if run.temperature is None:
        return title
    return f"{title}, α = {run.temperature:.3g}" + (" (swept)" if run.swept else "")


def names(runs: Sequence[Run]) -> dict[str, str]:
    """Run id to a description that no other of these runs has."""
    described = [describe(run) for run in runs]
    return {
        run.id: text if described.count(text) == 1 else f"{text} [{run.label}]"
        for run, text in zip(runs, described, strict=True)
    }


def short(metric: str) -> str:
    """What a metric is called where there is little room."""
    return METRICS.get(metric, metric.replace("_", " ")).split(" (")[0]


def by_algorithm(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each kind of learner that has any."""
    groups = [
        [run for run in runs if isinstance(run.algorithm, learner)]
        for learner in ALGORITHMS
    ]
    return [alike for alike in groups if alike]


def looks(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Run id to colour and dashes; runs of one algorithm from dark to light.

    Those from scratch are as dark as those that are pretrained, and dashed.
    """
    result = {}
    dashes = [DASHES[::2], DASHES[1::2]] if _has_both(runs) else [DASHES, DASHES]
    for alike in by_algorithm(runs):
        afresh = [run for run in alike if run.stage == "scratch"]
        begun = [run for run in alike if run.stage != "scratch"]
        for together, own in zip((begun, afresh), dashes, strict=True):
            for index, run in enumerate(together):
                colour = np.array(to_rgb(run.algorithm.colour))
                paler = 0.55 * index / max(len(together) - 1, 1)
                result[run.id] = {
                    "color": tuple(colour * (1 - paler) + paler),
                    "linestyle": own[index % len(own)],
                }
    return result


def _has_both(runs: Sequence[Run]) -> bool:
    """Whether some are from scratch, and others are not."""
    return len({run.stage == "scratch" for run in runs}) > 1


def goal_colours(count: int) -> list[str]:
    """A colour for each goal of a task."""
    return [GOAL_COLOURS[goal % len(GOAL_COLOURS)] for goal in range(count)]


def lines(
    axes: Axes, paths: Sequence[Grid], colours: str | Sequence[str], alpha: float
) -> None:
    """Thin lines `[time, 2]`, over each other: one artist, and so in half the time.

    They do not count where the limits of axes are found.
    """
    axes.add_collection(
        LineCollection(
            paths, colors=colours, lw=0.9, alpha=alpha, zorder=2,
            capstyle="projecting", joinstyle="round",
        ),
        autolim=False,
    )  # fmt: skip


def bare(axes: Axes) -> None:
    """Take ticks and frame off a picture that is not a chart."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
