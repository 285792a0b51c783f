"""Checks of searches: their budgets and samplers."""

from typing import Final

from pipeline.core.job import trials_together
from pipeline.study.params.checks import spaces
from pipeline.study.params.checks.found import Found, unknown, waiting
from pipeline.study.params.seeds import UNREAD
from pipeline.study.params.space import dimensions, grid_size
from pipeline.study.params.study import Study
from pipeline.study.params.sweep import Gp, Grid, PercentileSettings
from pipeline.study.params.yaml_lines import Document, Place

GRID: Final = 10_000
"""Settings that a grid may have."""


def budgets(study: Study, document: Document) -> Found:
    """Budgets of tasks that are not there, and those for nothing."""
    if study.sweep.budgets and "search" not in document.names("sweep"):
        yield ("sweep", "budgets"), "needs sweep.search, which says how to search"
    for task in study.sweep.budgets:
        if message := unknown(document, task, among=("tasks",), noun="task"):
            yield ("sweep", "budgets", task), message


def searches(study: Study, document: Document) -> Found:
    """Searches that name, cost or ask what cannot be."""
    for name, run in study.sweep.runs.items():
        place: Place = ("sweep", "runs", name)
        if message := unknown(document, name, among=("algorithms",), noun="algorithm"):
            yield place, message
        if message := unknown(document, run.task, among=("tasks",), noun="task"):
            yield (*place, "task"), message
        elif run.space and run.task not in document.names("sweep", "budgets"):
            yield (
                (*place, "task"),
                f"sweep.budgets has no '{run.task}': how many trials may it have?",
            )
        algorithm = study.algorithms.get(name)
        budget = study.sweep.budgets.get(run.task)
        steps = budget.steps if budget and budget.trials else None
        if algorithm and steps and algorithm.waits_for not in run.space:
            here: Place = ("sweep", "budgets", run.task, "steps")
            yield from waiting(here, name, algorithm, steps)
        if algorithm:
            yield from spaces.space((*place, "space"), algorithm, run.space, steps)
        if study.is_searched(name):
            yield from _sampled(study, name)
            yield from _spent(study, run.task)


def _sampled(study: Study, name: str) -> Found:
    """A sampler that cannot handle a space."""
    run, search = study.sweep.runs[name], study.sweep.search
    trials = study.sweep.budgets[run.task].trials
    place: Place = ("sweep", "runs", name, "space")
    try:
        searched = dimensions(run.space).values()
    except ValueError:
        return  # said of the space itself
    conditional = [each.name for each in searched if each.chosen]
    match search.sampler if search else None:
        case Gp() if conditional:
            yield (
                place,
                f"gp cannot search what depends on a choice, as '{conditional[0]}' "
                "does; write {tpe: …} for sweep.search.sampler",
            )
        case Grid():
            try:
                size = grid_size(run.space)
            except ValueError as error:
                yield (
                    (*place, *error.args),
                    "has too many values for a grid; write a choice, an integer, or "
                    "{uniform: [low, high], step: …}",
                )
                return
            if size > GRID:
                yield place, f"has a grid of {size} settings, and may have {GRID}"
            elif size < trials:
                yield (
                    ("sweep", "budgets", run.task, "trials"),
                    f"must be at most {size}, found {trials}: so many settings are in "
                    f"the grid of sweep.runs.{name}.space",
                )


def _spent(study: Study, task: str) -> Found:
    """A budget that does not fit how trials are computed."""
    search, budget = study.sweep.search, study.sweep.budgets[task]
    if search is None or search.seeds == UNREAD:
        return
    seeds, place = len(search.seeds), ("sweep", "budgets", task)
    together = trials_together(seeds, study.execution.members_per_process)
    why = (
        f"{together} trials are trained together (execution.members_per_process "
        f"{study.execution.members_per_process}, {seeds} seeds of sweep.search)"
    )
    if budget.trials % together:
        fewer = budget.trials - budget.trials % together
        either = f"{fewer} or {fewer + together}" if fewer else f"{together}"
        yield (
            (*place, "trials"),
            f"must be a multiple of {together}, found {budget.trials}; write {either}: "
            f"{why}",
        )
    if search.lag < together - 1:
        yield (
            ("sweep", "search", "lag"),
            f"must be at least {together - 1}, found {search.lag}: {why}",
        )
    if isinstance(search.pruning, PercentileSettings) and task in study.tasks:
        every, first = study.tasks[task].evaluation.every, search.pruning.warmup_steps
        if max(first, 1) > (budget.steps - 1) // every * every:
            yield (
                ("sweep", "search", "pruning", "warmup_steps"),
                f"nothing would be pruned: trials on '{task}' end after {budget.steps} "
                f"steps, and are evaluated every {every}, found {first}",
            )
