"""What a sweep tried: history, importance of each number, slices along each."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from pipeline.study.report.figures.style import short, styled
from pipeline.study.sweep.samplers import frozen_trials
from pipeline.study.sweep.trials import FinishedSweep

FEWEST_TRIALS: Final = 4
"""With fewer finished trials, an importance is a guess."""

BEST: Final = "#C2185B"


def importances(sweep: FinishedSweep) -> dict[str, float]:
    """Share of the objective's variance that each number explains (fANOVA).

    Empty where trials are too few, or all have the same value.
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
def search(sweep: FinishedSweep, colour: str) -> Figure:
    """History and importances above, a slice along each number below.

    At least one trial of the sweep has a value; the colour is its algorithm's.
    """
    columns = max(len(sweep.space), 2)
    figure = Figure(figsize=(max(3.1 * columns, 7.4), 5.4))
    figure.set_layout_engine("constrained", w_pad=0.1)
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    history, importance = above.subplots(1, 2, width_ratios=[3, 2])
    _history(history, sweep, colour)
    _importance(importance, sweep, colour)
    slices = below.subplots(1, columns, squeeze=False, sharey=True)[0]
    for panel in slices[len(sweep.space) :]:
        panel.set_visible(False)
    for panel, name in zip(slices, sweep.space, strict=False):
        _slice(panel, sweep, name, colour)
    slices[0].set_ylabel(short(sweep.objective))
    return figure


def _history(axes: Axes, sweep: FinishedSweep, colour: str) -> None:
    """Each trial's seeds, their mean, and the best so far."""
    best = -np.inf
    line: list[float] = []
    for at, trial in enumerate(sweep.trials):
        if trial.value is not None:
            best = max(best, trial.value)
            axes.plot(
                [at] * len(trial.values), np.array(trial.values, float), "o",
                ms=3.5, color=colour, alpha=0.3, mew=0,
            )  # fmt: skip
            axes.plot(at, trial.value, "o", ms=6, color=colour)
        else:
            low = axes.get_xaxis_transform()  # a share of the height along y
            axes.plot(at, 0.03, "x", color="#999999", transform=low)
        line.append(best if np.isfinite(best) else np.nan)
    axes.step(range(len(line)), line, where="post", color=BEST, lw=1.5, label="best")
    axes.set(xlabel="trial", ylabel=short(sweep.objective), title="history")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(loc="best")


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
    axes.barh(list(found), list(found.values()), color=colour, height=0.6)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1), xlabel="share of variance (fANOVA)")


def _slice(axes: Axes, sweep: FinishedSweep, name: str, colour: str) -> None:
    for trial in sweep.complete:
        chosen = trial.number == sweep.best["trial"]
        axes.plot(
            trial.params[name],
            np.array(trial.value, float),
            "*" if chosen else "o",
            ms=13 if chosen else 6,
            color=BEST if chosen else colour,
            alpha=1 if chosen else 0.75,
            zorder=3 if chosen else 2,
        )
    if sweep.space[name].log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlim=sweep.space[name].bounds, xlabel=name)
