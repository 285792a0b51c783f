"""Whether what `params.yaml` wants to know exactly can be known exactly."""

from collections.abc import Iterator

from pipeline.core.config import LinearQuadratic, MultiGoal, Push, Sql, Task
from pipeline.core.exact.grid import too_coarse
from pipeline.core.tasks.multigoal import ACTION_COST
from pipeline.study.errors import nearest
from pipeline.study.params.exact import ComposedRun, OracleSettings, perturbed
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
        elif task and (message := _unsolvable(task, oracle, study.exact.spacing)):
            yield place, message


def _unsolvable(task: Task, oracle: OracleSettings, spacing: float) -> str | None:
    """Why a task has no exact answer, or not on this grid."""
    match task:
        case MultiGoal(push=Push()):
            return f"'{oracle.task}' has a push: its best policy depends on the time"
        case MultiGoal():
            reason = too_coarse(spacing, oracle.temperature, effort=ACTION_COST)
            return f"exact.spacing cannot be used: {reason}" if reason else None
        case LinearQuadratic():
            # Imports scipy.stats, which every stage would pay for.
            from pipeline.core.exact.linear_quadratic import LinearQuadraticOracle

            try:
                LinearQuadraticOracle.solve(task, oracle.temperature)
            except ValueError as error:
                return str(error)
            return None
        case _:
            return (
                f"'{oracle.task}' is of kind {task.kind}, which has no exact answer; "
                "tasks of kind multigoal and linear_quadratic have one"
            )


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
        task
        for name, task in study.tasks.items()
        if name in tasks and isinstance(task, MultiGoal)
    ]
    for name, perturbation in study.score.robustness.perturbations.items():
        fits = [perturbed(task, perturbation) is not None for task in explored]
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
    for run in (first, second):
        algorithm = study.algorithms.get(run.algorithm)
        if algorithm and not isinstance(algorithm, Sql):
            return (
                f"only soft Q-functions can be composed; '{run.algorithm}' learns none"
            )
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
    tasks = study.tasks.get(first.task), study.tasks.get(second.task)
    return _different_worlds(*tasks) or _too_coarse(study, composed, first.temperature)


def _too_coarse(
    study: Study, composed: ComposedRun, temperature: float | None
) -> str | None:
    """Why the combined task cannot be solved on the study's grid."""
    if temperature is None:
        return None  # the sweep will find it
    effort = ACTION_COST * {"average": 1, "sum": 2}[composed.combine]
    reason = too_coarse(study.exact.spacing, temperature, effort=effort)
    return f"exact.spacing cannot be used: {reason}" if reason else None


def _shown(temperature: float | None) -> str:
    return "that of the sweep" if temperature is None else f"{temperature:g}"


def _different_worlds(first: Task | None, second: Task | None) -> str | None:
    """Why the rewards of two tasks cannot be added."""
    if first is None or second is None:
        return None
    for task in (first, second):
        if not isinstance(task, MultiGoal):
            return (
                "only runs on multigoal tasks can be composed (their combined task can "
                f"be solved exactly), found one of kind {task.kind}"
            )
        if task.goals_end_episode:
            return (
                "a sum of values is not defined where one of the tasks has ended; both "
                "tasks need goals_end_episode: false"
            )
        if task.push is not None:
            return (
                "a task with a push cannot be composed: the best policy of the "
                "combination depends on the time, and has no exact answer here"
            )
    for field in ("horizon", "discount", "walls", "push"):
        if getattr(first, field) != getattr(second, field):
            return f"the two tasks need the same dynamics, but their {field} differs"
    return None
