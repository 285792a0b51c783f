"""Which pictures a study gets, in which order, and what is written under them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.study.report.figures import curves, locomotion, multigoal, sweeps
from pipeline.study.report.figures.style import describe
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.statistics.compare import bands
from pipeline.study.store.layout import picture_name
from pipeline.study.store.runs import Run
from pipeline.study.sweep.trials import FinishedSweep


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows."""

    name: str
    """Of its file, without `.png`."""
    caption: str
    png: bytes


def of_panel(
    name: str,
    runs: Sequence[Run],
    *,
    metrics: dict[str, Any],
    bootstrap: Bootstrap,
) -> Iterator[Picture]:
    """Pictures of runs on one task, beside each other.

    Args:
        name: Beginning of the files' names.
        runs: In the order in which they are shown.
        metrics: Content of `metrics.json`.
        bootstrap: How the bands of learning curves are made.
    """
    confidence = f"{bootstrap.confidence:.0%}"
    task = runs[0].task
    scored = [run for run in runs if task.objective in metrics[run.stage][run.name]]
    if scored:
        yield Picture(
            f"{name}_scores",
            "After training: interquartile mean over seeds (tick), its "
            f"{confidence} interval (bar) and every seed (dots).",
            curves.finals(
                scored,
                [metrics[run.stage][run.name][task.objective] for run in scored],
            ),
        )
    if task.kind == "multigoal":
        yield from _multigoal(name, runs)
    if task.kind == "locomotion":
        yield Picture(
            f"{name}_traces",
            "Final episodes seen from above, from where each began; as Figure 7 of the "
            "soft Q-learning paper.",
            locomotion.traces(runs),
        )
    spread = ["direction_spread"] if task.kind == "locomotion" else []
    for metric in dict.fromkeys([task.objective, "return", *spread]):
        learned = list(bands(runs, metric, bootstrap))
        if learned:
            yield Picture(
                f"{name}_curve_{metric}",
                f"Evaluations in the course of training: interquartile mean over seeds "
                f"and its {confidence} interval at each step.",
                curves.learning(learned, metric),
            )


def _multigoal(name: str, runs: Sequence[Run]) -> Iterator[Picture]:
    yield Picture(
        f"{name}_trajectories",
        "Final episodes over the part of the reward that depends on the place; lighter "
        "is better, and the colour is the goal in which an episode ends.",
        multigoal.overview(runs),
    )
    yield Picture(
        f"{name}_goals",
        "Where the final episodes of every seed end.",
        multigoal.goals(runs),
    )
    yield Picture(
        f"{name}_actions",
        "Actions drawn in three positions, over the contours of the learned Q "
        "(lighter is better); as Figure 1 of the soft Q-learning paper. First seed, "
        "highest and lowest temperature.",
        multigoal.probes(_extremes(runs)),
    )


def _extremes(runs: Sequence[Run]) -> list[Run]:
    """Of each algorithm the runs with the highest and the lowest temperature."""
    chosen: set[str] = set()
    for kind in {run.algorithm.kind for run in runs}:
        alike = [run for run in runs if run.algorithm.kind == kind]
        alike.sort(key=lambda run: (run.swept, run.temperature or 0.0))
        held = [run for run in alike if not run.swept] or alike
        chosen |= {held[0].id, held[-1].id}
    return [run for run in runs if run.id in chosen]


def of_runs(runs: Sequence[Run]) -> Iterator[Picture]:
    """One picture of every run that has a plane to be seen in."""
    for run in runs:
        name = picture_name(run.stage, run.name)
        title = f"{describe(run)} ({run.id})"
        if run.task.kind == "multigoal":
            caption = f"{title}: trajectories, and actions over Q."
            yield Picture(name, caption, multigoal.behaviour(run))
        elif run.task.kind == "locomotion":
            caption = f"{title}: final episodes seen from above."
            yield Picture(name, caption, locomotion.traces([run]))


def of_sweep(sweep: FinishedSweep) -> Iterator[Picture]:
    """What a search tried; nothing if no trial has a value."""
    if sweep.complete:
        yield Picture(
            picture_name("sweep", sweep.name),
            f"{len(sweep.trials)} trials, {len(sweep.seeds)} seeds each (small dots). "
            "The star is the trial that the study trains with; a cross failed.",
            sweeps.search(sweep),
        )
