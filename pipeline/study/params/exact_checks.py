"""Whether what `params.yaml` wants to know exactly can be known exactly."""

from collections.abc import Iterator

from pipeline.core.composition.fit import check_fit
from pipeline.core.exact.grid import too_coarse
from pipeline.core.tasks.multigoal.combination import MisfitError, combined_arena
from pipeline.study.errors import nearest
from pipeline.study.params.exact import ComposedRun
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, Place

_Found = Iterator[tuple[Place, str]]


def oracles(study: Study, document: Document) -> _Found:
    """Tasks that cannot be solved, or not on this grid."""
    for name, oracle in study.exact.oracles.items():
        place: Place = ("exact", "oracles", name)
        task = study.tasks.get(oracle.task)
        known = document.names("tasks")
        if oracle.task not in known:
            yield (
                (*place, "task"),
                f"there is no task '{oracle.task}'; "
                f"{nearest(oracle.task, known)}tasks has: {', '.join(known)}",
            )
        elif task and (
            message := task.unsolvable(oracle.temperature, spacing=study.exact.spacing)
        ):
            yield place, message


def compositions(study: Study, document: Document) -> _Found:
    """Runs whose soft Q-functions cannot be combined."""
    known = document.names("explore", "runs")
    for name, composed in study.compose.runs.items():
        place: Place = ("compose", "runs", name)
        unknown = False
        for field, run in (("first", composed.first), ("second", composed.second)):
            if run not in known:
                unknown = True
                there_are = ", ".join(known) or "none"
                yield (
                    (*place, field),
                    f"there is no run '{run}' of explore; {nearest(run, known)}"
                    f"explore.runs has: {there_are}",
                )
        if not unknown and (message := _misfit(study, composed)):
            yield place, message


def perturbations(study: Study, document: Document) -> _Found:
    """Changes at test time that fit no task that policies are trained on."""
    tasks = {run.task for run in study.explore.runs.values()}
    if not tasks <= study.tasks.keys():
        return  # of a task that is wrong in itself nothing can be said
    explored = [
        task for name, task in study.tasks.items() if name in tasks and task.can_change
    ]
    for name, perturbation in study.score.robustness.perturbations.items():
        fits = [task.changed(perturbation) is not None for task in explored]
        if explored and not any(fits):
            yield (
                ("score", "robustness", "perturbations", name),
                "fits no task of a run of explore: goals that are left must be the "
                "task's own, walls must be off its goals and off [-0.5, 0.5]², where "
                "episodes start",
            )


def _misfit(study: Study, composed: ComposedRun) -> str | None:
    """Why two runs cannot be composed."""
    runs = [study.explore.runs.get(run) for run in (composed.first, composed.second)]
    if composed.first == composed.second:
        return f"'{composed.first}' composed with itself is nothing new"
    if any(run is None for run in runs):
        return None
    first, second = (run for run in runs if run is not None)
    if first.algorithm != second.algorithm:
        return (
            "both must be of one algorithm, found "
            f"'{first.algorithm}' and '{second.algorithm}'"
        )
    if first.temperature != second.temperature:
        return (
            "both need one temperature: the bound on what is lost is for equal ones, "
            f"found {_shown(first.temperature)} and {_shown(second.temperature)}"
        )
    algorithm = study.algorithms.get(first.algorithm)
    one, other = (study.tasks.get(run.task) for run in (first, second))
    try:
        if algorithm is not None:
            check_fit(algorithm, algorithm)
        if one and other:
            arena = combined_arena(one, other, composed.combine)
            if arena.depends_on_time:
                return "a task with a push cannot be composed: it has no exact answer"
            return _too_coarse(study, arena.effort, first.temperature)
    except MisfitError as error:
        return str(error)
    return None


def _too_coarse(study: Study, effort: float, temperature: float | None) -> str | None:
    """Why the combined task cannot be solved on the study's grid."""
    if temperature is None:
        return None  # the sweep will find it
    reason = too_coarse(study.exact.spacing, temperature, effort=effort)
    return f"exact.spacing cannot be used: {reason}" if reason else None


def _shown(temperature: float | None) -> str:
    return "that of the sweep" if temperature is None else f"{temperature:g}"
