"""What each sweep tried."""

from collections.abc import Iterator

from pipeline.study.report.figures import album
from pipeline.study.report.section import Context, Section
from pipeline.study.statistics.numbers import digits_for, number
from pipeline.study.store.layout import SWEEPS, picture_name
from pipeline.study.sweep.trials import load_sweep


def sections(context: Context) -> Iterator[Section]:
    """A section for every sweep that has trials."""
    for name, run in context.study.sweep.runs.items():
        if not context.study.is_searched(name):
            continue
        algorithm = context.study.algorithms[name]
        sweep = load_sweep(SWEEPS / name / "trials", algorithm.kind)
        pictures = list(album.of_sweep(sweep, algorithm.colour))
        if pictures:
            value = sweep.best["value"]
            yield Section(
                picture_name("sweep", name),
                f"Search: {name}",
                f"On {run.task}, {number(sweep.steps, 0)} steps a seed. Best "
                f"trial: {sweep.best['trial']}, with a mean {sweep.objective} of "
                f"{number(value, digits_for(value))} over seeds "
                f"{', '.join(str(seed) for seed in sweep.seeds)}, which the study does "
                "not use. That number is the best of many and hence too high; results "
                "are those of the study's own seeds.",
                [],
                pictures,
                is_search=True,
            )
