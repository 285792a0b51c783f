"""Two policies that became one."""

from collections.abc import Iterator
from typing import Final

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.params.study import Study
from pipeline.study.report.figures import exact
from pipeline.study.report.figures.album import Picture
from pipeline.study.report.figures.style import describe
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import (
    MISSING,
    Entry,
    Table,
    interval,
    of_named_cells,
    place,
)
from pipeline.study.statistics.numbers import number
from pipeline.study.store.layout import picture_name
from pipeline.study.store.scores import Composition

INTRODUCTION: Final = (
    "Two soft Q-functions, learned apart, become one policy: their average or sum "
    "stays as it is, and a fresh sampler learns to draw from it, without a step in an "
    "environment. It is compared with the exact answer to the combined task."
)


def sections(context: Context) -> Iterator[Section]:
    """One section, if anything was composed."""
    if context.compositions:
        pictures = [
            Picture(
                picture_name("compose", one.name),
                f"The {one.combine} of {one.first} and {one.second}: the exact policy "
                "of the combined task above, the first seed of the composed one below.",
                exact.composition(one, _shared(context.study, one)),
            )
            for one in context.compositions
        ]
        table = compositions(context)
        yield Section("composition", "Composition", INTRODUCTION, [table], pictures)


def _shared(study: Study, one: Composition) -> MultiGoal:
    """The first task with the goals that are the second's, too; all if none are."""
    first, second = (
        study.tasks[study.runs("explore")[run].task] for run in (one.first, one.second)
    )
    assert isinstance(first, MultiGoal)
    assert isinstance(second, MultiGoal)
    shared = tuple(goal for goal in first.goals if goal in second.goals)
    return first.model_copy(update={"goals": shared or first.goals + second.goals})


def compositions(context: Context) -> Table:
    """One row for every composition, with the exact policy's numbers below."""
    runs = {run.id: run for run in context.runs}
    rows = []
    for one in context.compositions:
        title = f"{one.combine} of {one.first} and {one.second}\ncompose/{one.name}"
        entry = context.metrics["compose"][one.name]
        kl = [
            f"{interval(found)}\nat {place(at)}"
            for at, found in entry.get("reverse_kl", {}).items()
        ]
        cells = {
            "composition": title,
            "parts": describe(runs[f"explore/{one.first}"]),
            "both goals reached": _beside(one, entry, "success", 2),
            "rarest goal that both have": _beside(one, entry, "rarest_shared_goal", 2),
            "return": _beside(one, entry, "return", 1),
            "KL to the exact policy": "\n".join(kl) or MISSING,
            "largest Q_S − Q*_C": _excess(one, entry),
        }
        rows.append(cells)
    return of_named_cells("composition", rows)


def _beside(one: Composition, entry: Entry, metric: str, digits: int) -> str:
    """A metric, and what it is for the exact policy."""
    if metric not in entry:
        return MISSING
    exactly = number(one.summary[f"oracle/{metric}"], digits)
    return f"{interval(entry[metric])}\nexact: {exactly}"


def _excess(one: Composition, entry: Entry) -> str:
    """Of averages: by how much they exceed the exact Q, and what that may be."""
    if "largest_excess" not in entry:
        return MISSING
    lost, bound = one.summary["bound/largest_loss"], one.summary["bound/largest"]
    parts = f"exact parts: {number(lost, 1)} of at most {number(bound, 1)}"
    return f"{interval(entry['largest_excess'])}\n{parts}"
