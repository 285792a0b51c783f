"""What a sweep tried: history, importance of each number, slices, learning curves."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from pipeline.study.params.space import dimensions
from pipeline.study.report.figures.style import STEPS, canvas, short, styled
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
    reached,
)
from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.sweep.samplers import frozen_trials
from pipeline.study.sweep.trials import FinishedSweep, Trial

FEWEST_TRIALS: Final = 4
"""With fewer finished trials, an importance is a guess."""
BOTTOM: Final = 0.03
"""Where trials stand that have no number, as a share of the height."""


def importances(sweep: FinishedSweep) -> dict[str, float]:
    """Share of the objective's variance that each dimension explains (fANOVA).

    Of dimensions that every complete trial has. Empty where trials are too few, or
    all have the same value.
    """
    values = [trial.value for trial in sweep.complete]
    if len(values) < FEWEST_TRIALS or len(set(values)) == 1:
        return {}
    import optuna  # with scikit-learn, 0.8 s
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    study.add_trials(frozen_trials(sweep.space, sweep.complete))
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: float(share) for name, share in found.items()}


@styled
def search(sweep: FinishedSweep, colour: str, fresh: Interval) -> Figure:
    """History and importances above, a slice along each dimension below.

    The colour is the algorithm's, `fresh` what the best setting is worth on fresh
    seeds.
    """
    scales = [Scale(dimension) for dimension in dimensions(sweep.space).values()]
    columns = {1: 1, 2: 2, 4: 2}.get(len(scales), 3)
    rows = -(-len(scales) // columns)
    figure = Figure(figsize=(9.2, 3.3 + 2.6 * rows))
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.06)
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[3.1, 2.6 * rows])
    above, below = parts[:, 0]
    history, again, importance = above.subplots(1, 3, width_ratios=[5, 0.9, 2.6])
    _history(history, sweep, colour)
    _fresh(again, history, sweep, fresh)
    _importance(importance, sweep, colour)
    panels = below.subplots(rows, columns, squeeze=False, sharey=True)
    for panel in panels.flat[len(scales) :]:
        panel.set_visible(False)
    for panel, scale in zip(panels.flat, scales, strict=False):
        _slice(panel, sweep, scale, colour)
    for row in panels:
        row[0].set_ylabel(short(sweep.objective))
        row[0].margins(y=0.1)
    line = Line2D([], [], color=BEST, lw=1.4, label="best so far")
    legend(figure, sweep, colour, line)
    return figure


def _mark(axes: Axes, trial: Trial, x: float, colour: Any, **options: Any) -> None:
    """The mark of a trial at what it reached, or at the bottom of the chart."""
    look = {"color": colour, "ls": ""} | MARKS[trial.state] | options
    if (value := reached(trial)) is None:
        low = axes.get_xaxis_transform()  # a share of the height along y
        axes.plot(x, BOTTOM, transform=low, clip_on=False, **look)
    else:
        axes.plot(x, value, **look)


def _history(axes: Axes, sweep: FinishedSweep, colour: str) -> None:
    """Each trial's seeds, their statistic, and the best so far."""
    best, line = -np.inf, []
    for trial in sweep.trials:
        if trial.value is not None:
            best = max(best, trial.value)
            axes.plot(
                [trial.number] * len(trial.values), np.array(trial.values, float), "o",
                ms=3.5, color=colour, alpha=0.3, mew=0,
            )  # fmt: skip
        line.append(best if np.isfinite(best) else np.nan)
        _mark(axes, trial, trial.number, colour)
    axes.step(range(len(line)), line, where="post", color=BEST, lw=1.4, zorder=1.5)
    winner = chosen(sweep)
    axes.plot(winner.number, np.array(winner.value, float), ls="", **STAR)
    axes.set(xlabel="trial", ylabel=short(sweep.objective), title="history")
    axes.set_xlim(-0.6, len(sweep.trials) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def _fresh(axes: Axes, history: Axes, sweep: FinishedSweep, interval: Interval) -> None:
    """The best setting on fresh seeds: each, their IQM and its interval."""
    axes.sharey(history)
    axes.tick_params(labelleft=False, length=0)
    seen = np.array(chosen(sweep).value, float)
    axes.axhline(float(seen), color=BEST, lw=1.1, ls=(0, (3, 2)))
    values = [value for value in sweep.fresh.values() if value is not None]
    axes.plot([0.3] * len(values), values, "o", ms=3.5, color=BEST, alpha=0.35, mew=0)
    ends = np.array([interval.low, interval.high])
    if np.isfinite(interval.estimate):
        axes.plot(0, interval.estimate, "_", color=BEST, ms=15, mew=2.4)
    if np.isfinite(ends).all():
        axes.plot([0, 0], ends, color=BEST, lw=3, solid_capstyle="butt")
    failed = len(sweep.fresh) - len(values)
    axes.set(xlim=(-0.7, 0.7), title="fresh seeds")
    axes.set_xticks([0], [f"{failed} failed" if failed else f"{len(values)} seeds"])
    axes.grid(visible=False, axis="x")


def _importance(axes: Axes, sweep: FinishedSweep, colour: str) -> None:
    axes.set_title("importance")
    found = importances(sweep)
    if not found:
        axes.text(
            0.5, 0.5, "too few or equal values", ha="center", va="center",
            color="#777777", transform=axes.transAxes,
        )  # fmt: skip
        axes.set(xticks=[], yticks=[])
        return
    rows = range(len(found))
    axes.barh(rows, list(found.values()), color=colour, height=0.34)
    for row, (name, share) in enumerate(found.items()):
        axes.text(0, row - 0.25, name, va="bottom", fontsize=8.5)
        axes.text(share + 0.02, row, f"{share:.0%}", va="center", fontsize=8.5)
    axes.set(ylim=(max(len(found), 3) - 0.5, -0.7), yticks=[], xlim=(0, 1.12))
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("share of variance (fANOVA)")


def _slice(axes: Axes, sweep: FinishedSweep, scale: Scale, colour: str) -> None:
    name = scale.dimension.name
    for trial in (one for one in others(sweep) if name in one.params):
        _mark(axes, trial, scale.at(trial.params[name]), colour, alpha=0.85)
    best = chosen(sweep)
    if name in best.params:
        x = scale.at(best.params[name])
        axes.plot(x, np.array(best.value, float), ls="", **STAR)
    scale.along(axes)
    axes.set_xlabel(scale.label())


@styled
def learning(sweep: FinishedSweep, colour: str) -> Figure:
    """The statistic of every trial in the course of training, to where it ended."""
    figure, ((axes,),) = canvas(1, 1, size=(7.4, 4.0))
    shades = Shades.of(sweep, colour)
    for trial in others(sweep):
        complete = trial.value is not None
        line = shades(trial.value) if complete else OVER
        steps = list(trial.statistics)
        values = list(trial.statistics.values())
        axes.plot(steps, values, color=line, lw=1.3 if complete else 0.9)
        if complete:
            _mark(axes, trial, sweep.steps, line, clip_on=False)
        elif steps:
            look = {"color": line, "ls": ""} | MARKS[trial.state]
            axes.plot(steps[-1], values[-1], **look)
    best = chosen(sweep)
    axes.plot(
        list(best.statistics), list(best.statistics.values()), color=BEST, lw=2.4,
        zorder=4,
    )  # fmt: skip
    axes.plot(sweep.steps, np.array(best.value, float), clip_on=False, ls="", **STAR)
    axes.set(xlabel=STEPS, ylabel=short(sweep.objective), xlim=(0, sweep.steps))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    legend(figure, sweep, colour)
    return figure
