"""Checks of seeds, tasks and algorithms."""

from collections import Counter
from itertools import combinations

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.learner import OffPolicy
from pipeline.core.tasks.navigation import ways
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.study.params.checks.found import Found, unknown
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, Place, dotted


def seeds(study: Study, document: Document) -> Found:
    """Seeds that are written twice, or for two purposes."""
    written: dict[Place, tuple[int, ...]] = {("study", "seeds"): study.study.seeds}
    if (search := study.sweep.search) is not None:
        written[("sweep", "search", "seeds")] = search.seeds
        written[("sweep", "search", "fresh_seeds")] = search.fresh_seeds
    for place, own in written.items():
        for seed, count in Counter(own).items():
            if count > 1:
                yield place, f"the seed {seed} is written {count} times"
    for (first, others), (place, own) in combinations(written.items(), 2):
        if shared := sorted({*others} & {*own}):
            numbers = ", ".join(map(str, shared))
            yield (
                place,
                f"must be other seeds than {dotted(first)}, found {numbers} in both: "
                "what a sweep has chosen must not be judged on the seeds that chose it",
            )


def worlds(study: Study, document: Document) -> Found:
    """Worlds in which something is where it cannot be, or where no way leads."""
    for name, world in study.worlds.items():
        for place, message in ways.mistakes(world):
            yield ("worlds", name, *place), message


def tasks(study: Study, document: Document) -> Found:
    """Settings that are no task, which each kind knows of itself."""
    for name, task in study.tasks.items():
        if isinstance(task, Navigation) and isinstance(task.world, str):
            if message := unknown(
                document, task.world, among=("worlds",), noun="world"
            ):
                yield ("tasks", name, "world"), message
            continue
        if isinstance(task, Navigation) and task.place not in study.worlds.values():
            for _, message in ways.mistakes(task.place):
                yield ("tasks", name, "world"), message
        for field, message in task.mistakes():
            place = ("tasks", name, field) if field else ("tasks", name)
            yield place, message
        if isinstance(task, Navigation):
            for message in ways.misfits(task.place, task.moves):
                yield ("tasks", name, "body"), message


def algorithms(study: Study, document: Document) -> Found:
    """Batches that a replay can never fill."""
    for name, algorithm in study.algorithms.items():
        if message := unfillable(algorithm):
            yield ("algorithms", name, "batch"), message


def unfillable(algorithm: Algorithm) -> str | None:
    """What is wrong with a batch that a replay can never fill."""
    if isinstance(algorithm, OffPolicy) and algorithm.batch > algorithm.replay:
        return f"must be at most replay ({algorithm.replay}), found {algorithm.batch}"
    return None
