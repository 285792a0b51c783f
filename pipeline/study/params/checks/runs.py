"""Checks of runs: what they name, how long they are, what they begin with."""

from pipeline.study.params.checks.found import Found, unknown, waiting
from pipeline.study.params.study import StartedRun, Study
from pipeline.study.params.yaml_lines import Document, Place
from pipeline.study.store.layout import STAGES, TO_THRESHOLD


def names(study: Study, document: Document) -> Found:
    """Tasks and algorithms that are not there, and temperatures of what has none."""
    written = [stage for stage in STAGES if stage in document.names()]
    is_mapping = isinstance(document.data, dict)
    if is_mapping and not any(document.names(stage, "runs") for stage in written):
        place: Place = (written[0], "runs") if written else ()
        yield place, f"a study needs a run in one of its stages: {', '.join(STAGES)}"
    for stage, name, run in study.all_runs():
        place = (stage, "runs", name)
        if message := unknown(document, run.task, among=("tasks",), noun="task"):
            yield (*place, "task"), message
        among = ("algorithms",)
        if message := unknown(document, run.algorithm, among=among, noun="algorithm"):
            yield (*place, "algorithm"), message
        elif run.algorithm not in document.names("sweep", "runs"):
            yield (
                (*place, "algorithm"),
                f"sweep.runs has no '{run.algorithm}', which decides the numbers that "
                "this run trains with (without a space, those that are written)",
            )
        algorithm = study.algorithms.get(run.algorithm)
        if run.temperature and algorithm and not algorithm.has_temperature():
            message = f"{algorithm.kind} has no temperature; leave it out"
            yield (*place, "temperature"), message


def steps(study: Study, document: Document) -> Found:
    """Runs that end before anything is learned or judged."""
    for stage, name, run in study.all_runs():
        count = study.steps(stage, run)
        own: Place = (stage, "runs", name, "steps")
        place = own if run.steps else (stage, "steps")
        algorithm, task = study.algorithms.get(run.algorithm), study.tasks.get(run.task)
        if algorithm:
            yield from waiting(place, run.algorithm, algorithm, count)
        if task and task.evaluation.every > count:
            yield (
                place,
                f"{count} steps end before the first evaluation "
                f"(tasks.{run.task}.evaluation.every is {task.evaluation.every})",
            )


def seeds(study: Study, document: Document) -> Found:
    """Seeds of runs that chose something, or that their pretraining does not have."""
    search = study.sweep.search
    chosen = {*search.seeds, *search.fresh_seeds} if search else set()
    for stage, name, run in study.all_runs():
        place: Place = (stage, "runs", name, "seeds")
        if run.seeds and (shared := chosen & {*study.seeds(run)}):
            numbers = ", ".join(map(str, sorted(shared)))
            yield place, f"ends among the seeds of sweep.search: {numbers}"
        if not isinstance(run, StartedRun):
            continue
        start = study.runs("pretrain").get(run.start)
        if start and not {*study.seeds(run)} <= {*study.seeds(start)}:
            yield (
                place if run.seeds else (stage, "runs", name, "start"),
                f"'{run.start}' has {len(study.seeds(start))} seeds, and each of "
                f"{len(study.seeds(run))} begins with its own pretrained networks",
            )


def starts(study: Study, document: Document) -> Found:
    """Pretrained runs that are not there, or whose networks cannot go on."""
    among = ("pretrain", "runs")
    for stage, name, run in study.all_runs():
        if isinstance(run, StartedRun):
            missing = unknown(document, run.start, among=among, noun="pretrained run")
            if message := missing or _misfit(study, run):
                yield (stage, "runs", name, "start"), message


def thresholds(study: Study, document: Document) -> Found:
    """Threshold returns of tasks that are not there, or that nobody learns."""
    on = {run.task for stage, _, run in study.all_runs() if stage in TO_THRESHOLD}
    for task in study.compare.threshold_returns:
        message = unknown(document, task, among=("tasks",), noun="task")
        if message is None and task not in on:
            stages = " or ".join(TO_THRESHOLD)
            message = f"no run of {stages} is on this task; leave it out"
        if message:
            yield ("compare", "threshold_returns", task), message


def _misfit(study: Study, run: StartedRun) -> str | None:
    """Why the networks of a pretrained run cannot go on in another run."""
    start = study.runs("pretrain").get(run.start)
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
