"""How much it matters which settings a learner has: searches of one task together."""

from collections.abc import Iterator, Sequence
from statistics import fmean, median

from pipeline.study.report.figures.album import Picture
from pipeline.study.report.figures.sensitivity import profiles
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import Table
from pipeline.study.statistics.numbers import digits_for, number
from pipeline.study.store.layout import SWEEPS, panel_name
from pipeline.study.sweep.trials import FinishedSweep, load_sweep

INTRODUCTION = (
    "Every searched learner gains something over what it does before it learns (the "
    "mean over trials of their first evaluation), and the best of its trials gains "
    "most. A trial's share of that gain says how much is lost by its settings. A trial "
    "that was pruned or failed has none."
)
NEARLY_ALL = 0.9
"""Share of the best trial's gain that counts as nearly as good."""


def sections(context: Context) -> Iterator[Section]:
    """A section for every task on which several algorithms were searched."""
    study = context.study
    for task in study.tasks:
        sweeps = [
            load_sweep(SWEEPS / name / "trials", study.algorithms[name].kind)
            for name, run in study.sweep.runs.items()
            if run.task == task and study.is_searched(name)
        ]
        found = {sweep.name: gains(sweep) for sweep in sweeps if sweep.complete}
        if len(found) < 2:
            continue
        colours = {name: study.algorithms[name].colour for name in found}
        name = panel_name("sensitivity", task)
        yield Section(
            name,
            f"How much settings matter: {task}",
            INTRODUCTION,
            [table(name, [sweep for sweep in sweeps if sweep.complete])],
            [
                Picture(
                    name,
                    "Trials from the best to the worst: what share of the best trial's "
                    "gain each has. The longer a line stays high, the less it matters "
                    "which settings are taken from the space.",
                    profiles(found, colours),
                )
            ],
            is_search=True,
        )


def gains(sweep: FinishedSweep) -> list[float]:
    """What share of the best trial's gain every trial has, in falling order."""
    start, best = before(sweep), float(sweep.best["value"])
    shares = [
        0.0 if trial.value is None or best <= start
        else (trial.value - start) / (best - start)
        for trial in sweep.trials
    ]  # fmt: skip
    return sorted(shares, reverse=True)


def before(sweep: FinishedSweep) -> float:
    """The objective before anything is learned, a mean over trials."""
    return fmean(
        next(iter(t.statistics.values())) for t in sweep.trials if t.statistics
    )


def table(name: str, sweeps: Sequence[FinishedSweep]) -> Table:
    """A row for every search: how good its trials are beside its best."""
    rows = []
    for sweep in sweeps:
        values = [trial.value for trial in sweep.complete if trial.value is not None]
        shares, ends = gains(sweep), (before(sweep), max(values), min(values))
        digits = digits_for(*ends)
        good = sum(share >= NEARLY_ALL for share in shares)
        rows.append(
            [
                sweep.name,
                *(number(value, digits) for value in ends),
                number(median(shares), 2),
                f"{good} of {len(shares)}",
            ]
        )
    first = sweeps[0]
    return Table(
        name,
        [
            "search",
            "before learning",
            "best trial",
            "worst trial",
            "gain of the median trial",
            f"trials with {NEARLY_ALL:.0%} of the best gain",
        ],
        rows,
        f"{first.objective} on {len(first.seeds)} seeds after {number(first.steps, 0)} "
        "steps; gains as shares of the best trial's.",
    )
