"""Checks of searches: their budgets and spaces."""

from pydantic import ValidationError

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.values import named_settings, with_values
from pipeline.study.errors import nearest
from pipeline.study.params.checks.found import Found, unknown, waiting
from pipeline.study.params.mistakes import explain_value
from pipeline.study.params.space import Choice, Range
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, Place


def budgets(study: Study, document: Document) -> Found:
    """Budgets of tasks that are not there."""
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
        if algorithm:
            for field, interval in run.space.items():
                yield from _space((*place, "space", field), algorithm, field, interval)
        if algorithm and budget and budget.trials:
            steps: Place = ("sweep", "budgets", run.task, "steps")
            yield from waiting(steps, name, algorithm, budget.steps)


def _space(place: Place, algorithm: Algorithm, field: str, interval: Range) -> Found:
    names = named_settings(algorithm)
    if field not in names:
        yield (
            place,
            f"cannot be searched; {nearest(field, names)}allowed: {', '.join(names)}",
        )
        return
    if isinstance(interval, Choice):
        return
    low, high = interval.bounds
    if low >= high:
        yield place, f"must be [low, high] with low < high, found [{low}, {high}]"
    for bound in (low, high):
        try:
            with_values(algorithm, {field: bound})
        except ValidationError as error:
            yield place, explain_value(error.errors()[0])
