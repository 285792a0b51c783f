"""Bodies that move in the plane: where their centre of mass went, seen from above."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from pipeline.study.report.figures import traces as plane
from pipeline.study.report.figures.style import styled
from pipeline.study.report.figures.traces import Walks
from pipeline.study.store.runs import Run


@styled
def traces(runs: Sequence[Run]) -> Figure:
    """Final episodes from their start, one panel per run (SQL 2017, Figure 7)."""
    walks = [
        replace(each, positions=each.positions - each.positions[:, :, :1])
        for each in Walks.of_runs(runs)
    ]
    figure, panels = plane.panels(len(runs))
    limit = 1.05 * max(plane.furthest(walks), 1e-3)
    for panel, each in zip(panels, walks, strict=True):
        plane.draw(panel, each)
        panel.plot(0, 0, "o", color="black", ms=3.5, zorder=3)
        panel.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    figure.supxlabel("x of the centre of mass, from its start (m)", fontsize=9.5)
    figure.supylabel("y (m)", fontsize=9.5)
    plane.name_seeds(figure, runs[0].seeds)
    return figure
