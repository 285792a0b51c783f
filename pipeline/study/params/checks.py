"""What one part of `params.yaml` says about another: names, seeds, spaces, sizes.

Every function yields mistakes. An entry that is wrong in itself is left out of the
study that comes here, so a name counts as known as soon as the file has it.
"""

from collections import Counter
from collections.abc import Iterator

from pydantic import ValidationError

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.learner import OffPolicy
from pipeline.core.config.values import sweepable, with_values
from pipeline.study.errors import nearest
from pipeline.study.params import exact_checks
from pipeline.study.params.mistakes import explain_value
from pipeline.study.params.study import (
    Range,
    RunSettings,
    StageName,
    StartedRun,
    Study,
)
from pipeline.study.params.yaml_lines import Document, Mistake, Place, dotted


def mistakes_between_parts(study: Study, document: Document) -> Iterator[Mistake]:
    """Everything that only shows when parts of the file are seen together."""
    for check in (
        _seeds,
        _environments,
        _algorithms,
        _budgets,
        _sweeps,
        _runs,
        _steps,
        _starts,
        exact_checks.oracles,
        exact_checks.compositions,
        exact_checks.perturbations,
    ):
        for place, message in check(study, document):
            yield document.mistake(place, message)


_Found = Iterator[tuple[Place, str]]


def _unknown(document: Document, name: str, *, among: Place, noun: str) -> str | None:
    """A message if there is no entry of that name."""
    names = document.names(*map(str, among))
    if name in names:
        return None
    there_are = ", ".join(names) or "none"
    hint = nearest(name, names)
    return f"there is no {noun} '{name}'; {hint}{dotted(among)} has: {there_are}"


def _seeds(study: Study, document: Document) -> _Found:
    for place, seeds in (
        (("study", "seeds"), study.study.seeds),
        (("sweep", "seeds"), study.sweep.seeds),
    ):
        for seed, count in Counter(seeds).items():
            if count > 1:
                yield place, f"the seed {seed} is written {count} times"
    shared = sorted(set(study.study.seeds) & set(study.sweep.seeds))
    if shared:
        numbers = ", ".join(map(str, shared))
        yield (
            ("sweep", "seeds"),
            f"must be other seeds than study.seeds, found {numbers} in both: what a "
            "sweep has chosen must not be judged on the seeds that chose it",
        )


def _environments(study: Study, document: Document) -> _Found:
    for name, task in study.tasks.items():
        for field, message in task.mistakes():
            place = ("tasks", name, field) if field else ("tasks", name)
            yield place, message


def _algorithms(study: Study, document: Document) -> _Found:
    for name, algorithm in study.algorithms.items():
        if isinstance(algorithm, OffPolicy) and algorithm.batch > algorithm.replay:
            yield (
                ("algorithms", name, "batch"),
                f"must be at most replay ({algorithm.replay}), found {algorithm.batch}",
            )


# ------------------------------------------------------------------------- sweeps


def _budgets(study: Study, document: Document) -> _Found:
    for task in study.sweep.budgets:
        place = ("sweep", "budgets", task)
        if message := _unknown(document, task, among=("tasks",), noun="task"):
            yield place, message


def _sweeps(study: Study, document: Document) -> _Found:
    for name, run in study.sweep.runs.items():
        place: Place = ("sweep", "runs", name)
        if message := _unknown(document, name, among=("algorithms",), noun="algorithm"):
            yield place, message
        if message := _unknown(document, run.task, among=("tasks",), noun="task"):
            yield (*place, "task"), message
        elif run.task not in document.names("sweep", "budgets"):
            yield (
                (*place, "task"),
                f"sweep.budgets has no '{run.task}': how many trials may it have?",
            )
        algorithm = study.algorithms.get(name)
        budget = study.sweep.budgets.get(run.task)
        if budget and budget.batches and not run.space:
            yield (
                (*place, "space"),
                f"empty, but sweep.budgets.{run.task} has {budget.batches} batches",
            )
        if algorithm:
            for field, interval in run.space.items():
                yield from _space((*place, "space", field), algorithm, field, interval)
        if algorithm and budget and budget.batches:
            yield from _waiting(
                ("sweep", "budgets", run.task, "steps"), name, algorithm, budget.steps
            )


def _space(place: Place, algorithm: Algorithm, field: str, interval: Range) -> _Found:
    names = sweepable(algorithm)
    if field not in names:
        yield (
            place,
            f"cannot be searched; {nearest(field, names)}allowed: {', '.join(names)}",
        )
        return
    low, high = interval.bounds
    if low >= high:
        yield place, f"must be [low, high] with low < high, found [{low}, {high}]"
    for bound in (low, high):
        try:
            with_values(algorithm, {field: bound})
        except ValidationError as error:
            yield place, explain_value(error.errors()[0])


# ------------------------------------------------------------------------ training


def _all_runs(study: Study) -> Iterator[tuple[StageName, str, RunSettings]]:
    for stage, block in study.stages():
        for name, run in block.runs.items():
            yield stage, name, run


def _runs(study: Study, document: Document) -> _Found:
    written = [stage for stage, _ in study.stages() if stage in document.names()]
    if written and not any(document.names(stage, "runs") for stage in written):
        yield (written[0], "runs"), "a study needs a run in one of its stages"
    for stage, name, run in _all_runs(study):
        place = (stage, "runs", name)
        if message := _unknown(document, run.task, among=("tasks",), noun="task"):
            yield (*place, "task"), message
        if message := _unknown(
            document, run.algorithm, among=("algorithms",), noun="algorithm"
        ):
            yield (*place, "algorithm"), message
        elif run.algorithm not in document.names("sweep", "runs"):
            yield (
                (*place, "algorithm"),
                f"sweep.runs has no '{run.algorithm}', which decides the numbers that "
                "this run trains with (batches: 0 takes them as they are written)",
            )
        algorithm = study.algorithms.get(run.algorithm)
        if (
            run.temperature is not None
            and algorithm
            and not algorithm.has_temperature()
        ):
            yield (
                (*place, "temperature"),
                f"{algorithm.kind} has no temperature; leave it out",
            )


def _steps(study: Study, document: Document) -> _Found:
    for stage, name, run in _all_runs(study):
        steps = run.steps or study.stage(stage).steps
        own: Place = (stage, "runs", name, "steps")
        place = own if run.steps else (stage, "steps")
        algorithm, task = study.algorithms.get(run.algorithm), study.tasks.get(run.task)
        if algorithm:
            yield from _waiting(place, run.algorithm, algorithm, steps)
        if task and task.evaluation.every > steps:
            yield (
                place,
                f"{steps} steps end before the first evaluation "
                f"(tasks.{run.task}.evaluation.every is {task.evaluation.every})",
            )


def _waiting(place: Place, name: str, algorithm: Algorithm, steps: int) -> _Found:
    if algorithm.waiting >= steps:
        field = algorithm.waits_for
        yield (
            place,
            f"{steps} steps end before '{name}' learns anything "
            f"(algorithms.{name}.{field} is {getattr(algorithm, field)})",
        )


# ------------------------------------------------------------------ starting points


def _starts(study: Study, document: Document) -> _Found:
    for name, run in study.finetune.runs.items():
        place = ("finetune", "runs", name, "start")
        among = ("pretrain", "runs")
        unknown = _unknown(document, run.start, among=among, noun="pretrained run")
        if message := unknown or _misfit(study, run):
            yield place, message


def _misfit(study: Study, run: StartedRun) -> str | None:
    """Why the networks of a pretrained run cannot go on in another run."""
    start = study.pretrain.runs.get(run.start)
    if start is None:
        return None
    old, new = (study.algorithms.get(each.algorithm) for each in (start, run))
    if old and new and old.networks != new.networks:
        return (
            f"'{run.start}' trains {old.networks}, "
            f"but '{run.algorithm}' needs {new.networks}"
        )
    before, after = (study.tasks.get(each.task) for each in (start, run))
    if before and after and before.spaces != after.spaces:
        return (
            f"'{run.start}' is trained on '{start.task}', whose observations or "
            f"actions are not those of '{run.task}'"
        )
    return None
