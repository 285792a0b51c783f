"""Which pictures a search gets, and what is written under them."""

from collections.abc import Iterator

from pipeline.study.params.space import dimensions
from pipeline.study.report.figures import landscapes, sweeps
from pipeline.study.report.figures.album import Picture
from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.store.layout import part_name, picture_name
from pipeline.study.sweep.trials import FinishedSweep


def of_sweep(sweep: FinishedSweep, colour: str, fresh: Interval) -> Iterator[Picture]:
    """What a search tried and found; `fresh` is what its best is worth elsewhere."""
    name = picture_name("sweep", sweep.name)
    yield Picture(
        name,
        f"Every trial, its {len(sweep.seeds)} seeds as small dots, and the best so far."
        " Beside it: the best setting on fresh seeds (dots), their interquartile "
        "mean (tick) and its interval (bar), and what the search saw (dashes). Below, "
        "the same trials along each dimension. Pruned trials stand at what they had "
        "when they were pruned, trials without a number at the bottom."
        + _left_out(sweep),
        sweeps.search(sweep, colour, fresh),
    )
    yield Picture(
        part_name(name, "curves"),
        "Every trial in the course of training, the darker the better it ended; those "
        "that were pruned or failed end there. The star is the evaluation after "
        "training.",
        sweeps.learning(sweep, colour),
    )
    if landscapes.pairs(sweep):
        yield Picture(
            part_name(name, "contour"),
            "Trials over pairs of dimensions, the darker the better. Between at least "
            f"{landscapes.FEWEST_POINTS} points, colours are interpolated; a pair of "
            "choices has the mean of its trials.",
            landscapes.contour(sweep, colour),
        )
        yield Picture(
            part_name(name, "parallel"),
            "A line for every trial through all that it tried to what came of it, the "
            "darker the better; among trials of one choice the better are above. "
            "A dimension that a trial does not have is inactive.",
            landscapes.parallel(sweep, colour),
        )


def _left_out(sweep: FinishedSweep) -> str:
    """Of which dimensions the importance is not said."""
    shared = set.intersection(*(set(trial.params) for trial in sweep.complete))
    without = [name for name in dimensions(sweep.space) if name not in shared]
    if not without:
        return ""
    return (
        " Importance is that of dimensions which every complete trial has; "
        f"{', '.join(without)} {'is' if len(without) == 1 else 'are'} not among them."
    )
