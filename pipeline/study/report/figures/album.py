"""Which pictures a study gets, in which order, and what is written under them.

What a kind of task has of its own is in `KINDS`; a kind that is not there has none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy.typing as npt

from pipeline.core.tasks.multigoal.settings import Perturbation
from pipeline.study.report.figures import (
    curves,
    exact,
    multigoal,
    navigation,
    nearness,
)
from pipeline.study.report.figures.style import by_algorithm, describe
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.statistics.curves import bands
from pipeline.study.statistics.threshold import steps_to_return
from pipeline.study.store.layout import part_name, picture_name
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import Score

Perturbations: TypeAlias = Mapping[str, Perturbation]
Episodes: TypeAlias = Callable[[], Mapping[str, npt.NDArray[Any]]]
"""Reads those of exact policies, `[episode, time, 2]`, by their titles."""


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows."""

    name: str
    """Of its file, without `.png`."""
    caption: str
    png: bytes


@dataclass(frozen=True)
class OfKind:
    """The pictures that a kind of task has of its own; each may be missing."""

    panel: Callable[[str, Sequence[Run], Episodes], Iterator[Picture]] | None = None
    """Of runs beside each other and beside exact policies; files' names begin alike."""
    alone: tuple[str, Callable[[Run], bytes]] | None = None
    """Of a run by itself: what it shows, and what draws it."""
    curves: tuple[str, ...] = ()
    """Metrics whose learning curves are drawn, besides the objective and the return."""
    oracle: Callable[[Mapping[str, Any], Any, str], bytes] | None = None
    """Of an exact answer: its arrays, the task, a title."""
    changed: Callable[[Sequence[Score], Perturbations], bytes] | None = None
    """Of runs in changed tasks."""
    judged: Callable[[Score, Perturbations], bytes] | None = None
    """Of a run beside exact answers and in changed tasks."""


def _multigoal(name: str, runs: Sequence[Run], _: Episodes) -> Iterator[Picture]:
    yield Picture(
        part_name(name, "trajectories"),
        "Final episodes over the part of the reward that depends on the place; lighter "
        "is better, and the colour is the goal in which an episode ends.",
        multigoal.overview(runs),
    )
    yield Picture(
        part_name(name, "goals"),
        "Where the final episodes of every seed end.",
        multigoal.goals(runs),
    )
    yield Picture(
        part_name(name, "actions"),
        "Actions drawn in three positions, over the contours of the learned Q "
        "(lighter is better); as Figure 1 of the soft Q-learning paper. First seed, "
        "highest and lowest temperature.",
        multigoal.probes(_extremes(runs)),
    )


def _extremes(runs: Sequence[Run]) -> list[Run]:
    """Of each algorithm the runs with the highest and the lowest temperature."""
    chosen: set[str] = set()
    for alike in by_algorithm(runs):
        alike.sort(key=lambda run: (run.swept, run.temperature or 0.0))
        unswept = [run for run in alike if not run.swept] or alike
        chosen |= {unswept[0].id, unswept[-1].id}
    return [run for run in runs if run.id in chosen]


def _navigation(name: str, runs: Sequence[Run], exactly: Episodes) -> Iterator[Picture]:
    runs, solved = navigation.hottest_first(runs), exactly()
    beside = " The exact policies are beside them." if solved else ""
    yield Picture(
        part_name(name, "traces"),
        "Final episodes of every seed, seen from above, from the highest temperature "
        "to the lowest; as Figures 1 and 7 of the soft Q-learning paper. Walls are "
        "grey, what closes a passage is hatched, targets are circles, and the finish "
        f"line is dashed. Of a body that only moves along x, x is shown over time."
        f"{beside}",
        navigation.traces(runs, solved),
    )
    if not navigation.is_on_a_line(runs[0]):
        yield Picture(
            part_name(name, "visits"),
            "Where final episodes spend their steps, of all seeds together; white is "
            f"never visited, and the shades of all panels are of one scale.{beside}",
            navigation.visits(runs, solved),
        )
    for distance in nearness.recorded(runs):
        yield Picture(
            part_name(name, distance),
            "How near each seed has come since its training began, exploration "
            "included; as Figure 3 of the soft Q-learning paper.",
            nearness.distances(runs, distance),
        )


AS_FIGURE_5: Final = (
    " As Figure 5 of the soft Q-learning paper, whose returns are discounted; these "
    "are not. Pretrained runs are drawn through, those from scratch dashed, and the "
    "thin line is the threshold return."
)


KINDS: Final[Mapping[str, OfKind]] = {
    "multigoal": OfKind(
        panel=_multigoal,
        alone=("trajectories, and actions over Q.", multigoal.behaviour),
        oracle=exact.oracle,
        changed=exact.changed_tasks,
        judged=exact.judged,
    ),
    "navigation": OfKind(
        panel=_navigation,
        alone=("final episodes, and how near training came.", navigation.behaviour),
        curves=("direction_spread",),
        oracle=navigation.oracle,
    ),
}


def of_kind(kind: str) -> OfKind:
    """What a kind of task has of its own."""
    return KINDS.get(kind, OfKind())


def of_panel(
    name: str,
    runs: Sequence[Run],
    *,
    metrics: Mapping[str, Any],
    bootstrap: Bootstrap,
    solved: Episodes,
) -> Iterator[Picture]:
    """Pictures of runs on one task, beside each other; files' names begin with `name`.

    `metrics` is the content of `metrics.json`; `solved` is called if it is shown.
    """
    confidence = f"{bootstrap.confidence:.0%}"
    task = runs[0].task
    own = of_kind(task.kind)
    scored = [run for run in runs if task.objective in metrics[run.stage][run.name]]
    if scored:
        yield Picture(
            part_name(name, "scores"),
            "After training: interquartile mean over seeds (tick), its "
            f"{confidence} interval (bar) and every seed (dots).",
            curves.finals(
                scored, [metrics[run.stage][run.name][task.objective] for run in scored]
            ),
        )
    if own.panel is not None:
        yield from own.panel(name, runs, solved)
    counted = [
        (run, entry)
        for alike in by_algorithm(runs)
        for run in alike
        if (entry := metrics[run.stage][run.name].get("steps_to_threshold"))
    ]
    yield from _to_threshold(name, counted, confidence)
    for metric in dict.fromkeys([task.objective, "return", *own.curves]):
        learned = list(bands(runs, metric, bootstrap))
        if learned:
            aims = {entry["threshold"] for _, entry in counted}
            aim = aims.pop() if aims and metric == "return" else None
            yield Picture(
                part_name(name, f"curve_{metric}"),
                f"Evaluations in the course of training: interquartile mean over seeds "
                f"and its {confidence} interval at each step."
                + ("" if aim is None else AS_FIGURE_5),
                curves.learning(learned, metric, aim),
            )


def _to_threshold(
    name: str, counted: Sequence[tuple[Run, Any]], confidence: str
) -> Iterator[Picture]:
    """Of runs that have been asked how many steps a threshold return takes."""
    if not counted:
        return
    runs, entries = zip(*counted, strict=True)
    steps = [steps_to_return(run, entry["threshold"]) for run, entry in counted]
    yield Picture(
        part_name(name, "steps"),
        "Environment steps after which each seed first had the threshold return "
        f"(dots), their interquartile mean (tick) and its {confidence} interval (bar). "
        "A ring is a seed that never had it and counts as its whole budget, the thin "
        "line.",
        curves.steps_to_threshold(runs, steps, entries),
    )


def of_runs(runs: Sequence[Run]) -> Iterator[Picture]:
    """One picture of every run whose kind of task has one."""
    for run in runs:
        if (alone := of_kind(run.task.kind).alone) is not None:
            shown, draw = alone
            caption = f"{describe(run)} ({run.id}): {shown}"
            yield Picture(picture_name(run.stage, run.name), caption, draw(run))
