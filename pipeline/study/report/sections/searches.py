"""What each sweep tried and found, and what that is worth on fresh seeds."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.core.judging.interquartile import interquartile_mean
from pipeline.core.tasks.settings import Task
from pipeline.study.params.space import Params
from pipeline.study.params.sweep import Gp, Sampler, Statistic, Tpe
from pipeline.study.report.figures import sweep_album
from pipeline.study.report.figures.style import short
from pipeline.study.report.figures.tried import STATES, chosen
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import Table, of_named_cells
from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.statistics.numbers import digits_for, number
from pipeline.study.store.layout import SWEEPS, part_name, picture_name
from pipeline.study.sweep.trials import FinishedSweep, load_sweep

INTRODUCTION: Final = (
    "Settings were searched before the study, on seeds that it does not use. The best "
    "of many trials is too high by chance, hence it was trained once more on fresh "
    "seeds, which had no part in the choice. What it is worth there is what to believe."
)
STATISTICS: Final[dict[Statistic, str]] = {
    "iqm": "interquartile mean",
    "mean": "mean",
    "median": "median",
    "worst": "worst",
}
SAMPLERS: Final = {
    "tpe": "Optuna's tree-structured Parzen estimator",
    "gp": "Optuna's Gaussian process",
    "qmc": "a low-discrepancy sequence",
    "random": "random draws",
    "grid": "a grid",
}


@dataclass(frozen=True)
class Found:
    """A sweep, and what its best trial's setting is worth on fresh seeds."""

    sweep: FinishedSweep
    task: str
    fresh: Interval

    @classmethod
    def of(
        cls, sweep: FinishedSweep, name: str, task: Task, bootstrap: Bootstrap
    ) -> "Found":
        """A sweep on a task of that name; a failed seed is worse than all others."""
        failed = task.of_failed(sweep.objective)
        values = [failed if value is None else value for value in sweep.fresh.values()]
        interval = bootstrap.interquartile_mean(values, f"sweep/{sweep.name}")
        return cls(sweep, name, interval)

    @property
    def value(self) -> float:
        """The statistic by which the best trial was chosen."""
        return float(self.sweep.best["value"])

    @property
    def difference(self) -> float:
        """Of interquartile means: on fresh seeds, less that of the best trial."""
        values = [value for value in chosen(self.sweep).values if value is not None]
        return self.fresh.estimate - float(interquartile_mean(values))

    @property
    def failed(self) -> str:
        """`1 of 6 seeds failed`, of the fresh ones, or nothing if none has."""
        values = [*self.sweep.fresh.values()]
        count = values.count(None)
        return f"{count} of {len(values)} seeds failed" if count else ""


def together(context: Context) -> Iterator[Section]:
    """A section about all sweeps, if there are any."""
    if found := [*_found(context)]:
        table = summary(found)
        yield Section("sweeps", "Searches", INTRODUCTION, [table], [], is_search=True)


def sections(context: Context) -> Iterator[Section]:
    """A section for every sweep."""
    study = context.study
    for one in _found(context):
        name = one.sweep.name
        colour = study.algorithms[name].colour
        assert study.sweep.search is not None, "checked"
        yield Section(
            picture_name("sweep", name),
            f"Search: {name}",
            _introduction(one, study.sweep.search.sampler),
            [*_failures(one.sweep)],
            list(sweep_album.of_sweep(one.sweep, colour, one.fresh)),
            is_search=True,
        )


def _found(context: Context) -> Iterator[Found]:
    study = context.study
    for name, run in study.sweep.runs.items():
        if study.is_searched(name):
            sweep = load_sweep(SWEEPS / name / "trials", study.algorithms[name].kind)
            yield Found.of(sweep, run.task, study.tasks[run.task], context.bootstrap)


def summary(found: Sequence[Found]) -> Table:
    """A row for every sweep: what it saw, and what that is worth."""
    rows = []
    for one in found:
        sweep, digits = one.sweep, digits_for(one.value)
        sign = "+" if one.difference > 0 else ""
        statistic = STATISTICS[sweep.statistic]
        row = {
            "algorithm": f"{sweep.name}\ntrial {sweep.best['trial']}",
            "task": f"{one.task}\n{short(sweep.objective)}",
            "trials": f"{len(sweep.trials)}\n{counts(sweep)}",
            "seeds": f"{len(sweep.seeds)}\n{len(sweep.fresh)} fresh",
            "in the search": f"{number(one.value, digits)}\n{statistic}",
            "on fresh seeds": "\n".join(filter(None, [one.fresh.text(), one.failed])),
            "difference": sign + number(one.difference, digits),
            "best setting": setting(chosen(sweep).params),
        }
        rows.append(row)
    return of_named_cells("sweeps", rows)


def counts(sweep: FinishedSweep) -> str:
    """`18 complete, 5 pruned, 1 failed`."""
    counted = Counter(trial.state for trial in sweep.trials)
    return ", ".join(
        f"{counted[state]} {text}" for state, text in STATES.items() if counted[state]
    )


def setting(params: Params) -> str:
    """`learning_rate.q 0.00123, temperature.fixed 3.21`."""
    return ", ".join(
        f"{name} {point:.3g}"
        if isinstance(point, float)
        else f"{name} {point if isinstance(point, str) else json.dumps(point)}"
        for name, point in params.items()
    )


def _introduction(found: Found, sampler: Sampler) -> str:
    """What was searched how, what was best, and what that is worth."""
    sweep, objective = found.sweep, short(found.sweep.objective)
    best, digits = chosen(sweep), digits_for(found.value)
    by = SAMPLERS[next(iter(sampler.model_dump()))]
    match sampler:
        case Tpe(tpe=settings) | Gp(gp=settings):
            by = f"random draws until {settings.startup_trials} had a result, then {by}"
    seeds = ", ".join(map(str, sweep.seeds))
    apart = number(abs(found.difference), digits)
    less = f"{apart} {'less' if found.difference < 0 else 'more'}"
    failed = f" ({found.failed})" if found.failed else ""
    return (
        f"On {found.task}, {number(sweep.steps, 0)} steps on each of seeds {seeds}; "
        f"{len(sweep.trials)} trials ({counts(sweep)}), proposed by {by}. The best is "
        f"trial {best.number}: {setting(best.params)}. The search saw a {objective} of "
        f"{number(found.value, digits)} ({STATISTICS[sweep.statistic]} over seeds). On "
        f"{len(sweep.fresh)} fresh seeds{failed}, the interquartile mean of the same "
        f"setting is {found.fresh.text()}: {less} than on the seeds of the search."
    )


def _failures(sweep: FinishedSweep) -> Iterator[Table]:
    """Why trials failed, if any did."""
    rows = [
        {"failed trial": str(trial.number), "reason": trial.reason}
        for trial in sweep.trials
        if trial.state == "FAIL"
    ]
    if rows:
        name = part_name(picture_name("sweep", sweep.name), "failures")
        yield of_named_cells(name, rows)
