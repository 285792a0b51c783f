"""Checks of what `params.yaml` wants to know exactly, and of changed tasks."""

from typing import Final

from pipeline.core.composition.fit import check_fit
from pipeline.core.exact.resolution import too_coarse
from pipeline.core.tasks.answers import answer_to
from pipeline.core.tasks.multigoal.combination import MisfitError, Rule, combined_arena
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.study.params.checks.found import Found, unknown
from pipeline.study.params.exact import ComposedRun
from pipeline.study.params.study import RunSettings, Study
from pipeline.study.params.yaml_lines import Document, Place
from pipeline.study.store.scores import UNCHANGED

PERTURBATIONS: Final = ("score", "robustness", "perturbations")
"""Where they are written."""


def oracles(study: Study, document: Document) -> Found:
    """Tasks that cannot be solved, or not on this grid."""
    for name, oracle in study.oracles.items():
        place: Place = ("exact", "oracles", name)
        if message := unknown(document, oracle.task, among=("tasks",), noun="task"):
            yield (*place, "task"), message
        task = study.tasks.get(oracle.task)
        if isinstance(task, Navigation) and isinstance(task.world, str):
            continue  # in no world: said of the task
        if task and study.exact:
            if (answer := answer_to(task)) is None:
                what = f"a {task.kind} task"
                if isinstance(task, Navigation):
                    what += f" with body {task.body}"
                yield place, f"'{oracle.task}': {what} has no exact answer"
                continue
            spacing = oracle.spacing or study.exact.spacing
            if reason := answer.unsolvable(oracle.temperature, spacing=spacing):
                yield place, f"'{oracle.task}': {reason}"


def compositions(study: Study, document: Document) -> Found:
    """Runs whose soft Q-functions cannot be combined."""
    among = ("explore", "runs")
    for name, composed in study.compositions.items():
        place: Place = ("compose", "runs", name)
        for block in ("exact", "score"):
            if block not in document.names():
                yield place, f"{block}: missing; it says how a composition is judged"
        found = False
        for field, run in (("first", composed.first), ("second", composed.second)):
            if message := unknown(document, run, among=among, noun="run"):
                found = True
                yield (*place, field), message
        if not found and (message := _misfit(study, composed)):
            yield place, message


def perturbations(study: Study, document: Document) -> Found:
    """Changes at test time that fit no task that policies are trained on."""
    names = {run.task for run in study.runs("explore").values()}
    if not names <= study.tasks.keys():
        return  # of a task that is wrong in itself nothing can be said
    explored = [study.tasks[name] for name in names if study.tasks[name].can_change]
    for name, perturbation in study.perturbations.items():
        if name == UNCHANGED:
            yield (*PERTURBATIONS, name), "means the task as it is; use another name"
        if explored and all(task.changed(perturbation) is None for task in explored):
            yield (
                (*PERTURBATIONS, name),
                "fits no task of a run of explore: goals that are left must be the "
                "task's own, walls must be off its goals and off [-0.5, 0.5]², where "
                "episodes start",
            )


def _misfit(study: Study, composed: ComposedRun) -> str | None:
    """Why two runs cannot be composed."""
    runs = study.runs("explore")
    first, second = runs.get(composed.first), runs.get(composed.second)
    if composed.first == composed.second:
        return f"'{composed.first}' composed with itself is nothing new"
    if first is None or second is None:
        return None
    try:
        return _unlike(study, first, second) or _unsolved(
            study, first, second, composed.combine
        )
    except MisfitError as error:
        return str(error)


def _unlike(study: Study, first: RunSettings, second: RunSettings) -> str | None:
    """Why two learners are not of one kind; what the sweep finds is not known yet."""
    for run in (first, second):
        if algorithm := study.algorithms.get(run.algorithm):
            check_fit(algorithm, algorithm)
    if first.algorithm != second.algorithm:
        return (
            "both must be of one algorithm, found "
            f"'{first.algorithm}' and '{second.algorithm}'"
        )
    if study.seeds(first) != study.seeds(second):
        return "both need the same seeds"
    if first.temperature != second.temperature:
        return (
            "both need one temperature: the bound on what is lost is for equal ones, "
            f"found {_shown(first.temperature)} and {_shown(second.temperature)}"
        )
    return None


def _unsolved(
    study: Study, first: RunSettings, second: RunSettings, rule: Rule
) -> str | None:
    """Why the combined task has no exact answer, or not on the study's grid."""
    one, other = (study.tasks.get(run.task) for run in (first, second))
    if one is None or other is None:
        return None
    arena = combined_arena(one, other, rule)
    if arena.depends_on_time:
        return "a task with a push cannot be composed: it has no exact answer"
    if first.temperature is None or study.exact is None:
        return None  # the sweep will find it
    reason = too_coarse(arena, first.temperature, study.exact.spacing)
    return f"exact.spacing cannot be used: {reason}" if reason else None


def _shown(temperature: float | None) -> str:
    return "that of the sweep" if temperature is None else f"{temperature:g}"
