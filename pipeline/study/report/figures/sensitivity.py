"""How much it matters which settings a learner has."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pipeline.study.report.figures.style import styled


@styled
def profiles(
    shares: Mapping[str, Sequence[float]], colours: Mapping[str, str]
) -> Figure:
    """Of each algorithm, what its trials have of the best one's gain, best first."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, found in shares.items():
        ends = np.linspace(0, 1, len(found) + 1)
        lowest = max(-0.5, min(found))
        axes.stairs(np.maximum(found, lowest), ends, baseline=None, label=name,
                    color=colours[name], lw=2)  # fmt: skip
    axes.axhline(0, color="#999999", lw=0.8, ls=":")
    axes.set(xlim=(0, 1), ylim=(min(-0.05, axes.get_ylim()[0]), 1.05))
    axes.set(xlabel="share of trials, from the best", ylabel="share of the best gain")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="best")
    return figure
