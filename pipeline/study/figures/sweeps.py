"""What a sweep tried: history, importance of each number, slices along each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from pipeline.study.figures.style import COLOURS, METRICS, styled
from pipeline.study.files import read_csv, read_json

FEWEST_TRIALS: Final = 4
"""With fewer finished trials, an importance is a guess."""

BEST: Final = "#C2185B"


@dataclass(frozen=True)
class Sweep:
    """The table of trials of one algorithm, as the sweep left it."""

    name: str
    kind: str
    objective: str
    best: dict[str, Any]
    """`trial`: `batch.slot`, or None where nothing was searched; `value`."""
    seeds: list[int]
    steps: int
    log: dict[str, bool]
    """Searched number to whether it is searched on a logarithmic scale."""
    bounds: dict[str, tuple[float, float]]
    trials: list[dict[str, str]]

    @property
    def finished(self) -> list[dict[str, str]]:
        """Trials that have a value."""
        return [trial for trial in self.trials if trial["state"] == "COMPLETE"]


def load_sweep(folder: Path, kind: str) -> Sweep:
    """Read `results/sweep/<algorithm>/trials`.

    Args:
        folder: That folder.
        kind: Of the algorithm.
    """
    run = read_json(folder / "run.json")
    ranges = {name: next(iter(one.items())) for name, one in run["space"].items()}
    return Sweep(
        name=run["run"],
        kind=kind,
        objective=run["objective"],
        best=run["best"],
        seeds=run["seeds"],
        steps=run["steps"],
        log={name: scale == "log_uniform" for name, (scale, _) in ranges.items()},
        bounds={name: (low, high) for name, (_, (low, high)) in ranges.items()},
        trials=read_csv(folder / "trials.csv"),
    )


def importances(sweep: Sweep) -> dict[str, float]:
    """Share of the objective's variance that each number explains (fANOVA).

    Empty where trials are too few, or all have the same value.
    """
    values = [float(trial["value"]) for trial in sweep.finished]
    if len(values) < FEWEST_TRIALS or np.ptp(values) == 0:
        return {}
    distributions: dict[str, BaseDistribution] = {
        name: FloatDistribution(low, high, log=sweep.log[name])
        for name, (low, high) in sorted(sweep.bounds.items())
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for trial, value in zip(sweep.finished, values, strict=True):
        params = {name: float(trial[name]) for name in distributions}
        study.add_trial(
            optuna.trial.create_trial(
                params=params, distributions=distributions, value=value
            )
        )
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: float(share) for name, share in found.items()}


@styled
def search(sweep: Sweep) -> Figure:
    """History and importances above, a slice along each number below."""
    columns = max(len(sweep.bounds), 2)
    figure = Figure(figsize=(max(3.1 * columns, 7.4), 5.4))
    figure.set_layout_engine("constrained", w_pad=0.1)
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    history, importance = above.subplots(1, 2, width_ratios=[3, 2])
    _history(history, sweep)
    _importance(importance, sweep)
    slices = below.subplots(1, columns, squeeze=False, sharey=True)[0]
    for panel in slices[len(sweep.bounds) :]:
        panel.set_visible(False)
    for panel, name in zip(slices, sweep.bounds, strict=False):
        _slice(panel, sweep, name)
    slices[0].set_ylabel(_short(sweep.objective))
    return figure


def _short(objective: str) -> str:
    return METRICS.get(objective, objective).split(" (")[0]


def _history(axes: Axes, sweep: Sweep) -> None:
    """Each trial's seeds, their mean, and the best so far."""
    colour, best = COLOURS[sweep.kind], -np.inf
    line: list[float] = []
    for at, trial in enumerate(sweep.trials):
        if trial["state"] == "COMPLETE":
            value = float(trial["value"])
            best = max(best, value)
            seeds = [float(trial[f"value_seed_{seed}"]) for seed in sweep.seeds]
            axes.plot(
                [at] * len(seeds), seeds, "o", ms=3.5, color=colour, alpha=0.3, mew=0
            )
            axes.plot(at, value, "o", ms=6, color=colour)
        else:
            axes.plot(at, 0.03, "x", color="#999999", transform=_foot(axes))
        line.append(best if np.isfinite(best) else np.nan)
    axes.step(range(len(line)), line, where="post", color=BEST, lw=1.5, label="best")
    axes.set(xlabel="trial", ylabel=_short(sweep.objective), title="history")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(loc="best")


def _foot(axes: Axes) -> Any:
    """Data along x, share of the height along y: for trials that failed."""
    return axes.get_xaxis_transform()


def _importance(axes: Axes, sweep: Sweep) -> None:
    axes.set_title("importance")
    found = importances(sweep)
    if not found:
        axes.text(
            0.5, 0.5, "too few or equal values", ha="center", va="center",
            color="#777777", transform=axes.transAxes,
        )  # fmt: skip
        axes.set(xticks=[], yticks=[])
        return
    axes.barh(list(found), list(found.values()), color=COLOURS[sweep.kind], height=0.6)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1), xlabel="share of variance (fANOVA)")


def _slice(axes: Axes, sweep: Sweep, name: str) -> None:
    colour = COLOURS[sweep.kind]
    for trial in sweep.finished:
        chosen = f"{trial['batch']}.{trial['slot']}" == sweep.best["trial"]
        axes.plot(
            float(trial[name]),
            float(trial["value"]),
            "*" if chosen else "o",
            ms=13 if chosen else 6,
            color=BEST if chosen else colour,
            alpha=1 if chosen else 0.75,
            zorder=3 if chosen else 2,
        )
    if sweep.log[name]:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlim=sweep.bounds[name], xlabel=name)
