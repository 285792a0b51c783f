"""What trained policies do in tasks that they have not learned."""

from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.study.params.exact import Robustness
from pipeline.study.report.figures.album import Picture, of_kind
from pipeline.study.report.figures.style import describe
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import MISSING, Table, interval, titled
from pipeline.study.statistics.numbers import number
from pipeline.study.store.layout import panel_name, part_name, picture_name
from pipeline.study.store.runs import same_temperature
from pipeline.study.store.scores import WITHSTOOD, Score

INTRODUCTION: Final = (
    "The trained policies act in tasks that they have not learned: half of the goals "
    "are gone, walls stand in the straight way, the state is pushed. Success within "
    "{attempts} attempts is the share of starts from which at least one attempt ends "
    "in a goal; the attempts of a start begin alike."
)


def sections(context: Context) -> Iterator[Section]:
    """A section for every task that was changed."""
    by_task: dict[str, list[Score]] = {}
    for score in (score for score in context.scores if score.robustness):
        by_task.setdefault(score.run.task_name, []).append(score)
    for task_name, scores in by_task.items():
        name = panel_name("robustness", task_name)
        settings = context.study.robustness
        pictures = list(_pictures(name, scores, settings))
        yield Section(
            name,
            f"Robustness: {task_name}",
            INTRODUCTION.format(attempts=settings.attempts),
            [changed_tasks(name, scores, context)],
            pictures[:1],
            pictures[1:],
        )


def _pictures(
    name: str, scores: Sequence[Score], settings: Robustness
) -> Iterator[Picture]:
    """Runs of one temperature beside each other, then each by itself."""
    own = of_kind(scores[0].run.task.kind)
    if own.changed is not None:
        for index, group in enumerate(_groups(scores)):
            yield Picture(
                part_name(name, index),
                "First attempts of the first seed, in the task as it was learned and "
                "as it is changed, with the success within "
                f"{settings.attempts} attempts; colours are goals, grey ends nowhere.",
                own.changed(group, settings.perturbations),
            )
    if own.judged is not None:
        for score in scores:
            yield Picture(
                picture_name("score", score.run.name),
                f"{describe(score.run)} ({score.run.id}): actions beside the exact "
                "ones, and first attempts in changed tasks.",
                own.judged(score, settings.perturbations),
            )


def _groups(scores: Sequence[Score]) -> list[list[Score]]:
    """Runs of one temperature together, each with those that have none."""
    without = [score for score in scores if score.run.temperature is None]
    groups: list[list[Score]] = []
    for score in (score for score in scores if score.run.temperature is not None):
        alpha = score.run.temperature
        alike = [x for x in groups if same_temperature(x[0].run.temperature, alpha)]
        if alike:
            alike[0].append(score)
        else:
            groups.append([score])
    return [group + without for group in groups] or [without]


def changed_tasks(name: str, scores: Sequence[Score], context: Context) -> Table:
    """One row for every run: success within all attempts, and of single ones."""
    columns = list(dict.fromkeys(each for one in scores for each in one.perturbations))
    rows = []
    for score in scores:
        entry = context.metrics["explore"][score.run.name]["robustness"]
        cells = []
        for column in columns:
            if column not in entry:
                cells.append(MISSING)
                continue
            found = entry[column]
            single = number(found["success"]["iqm"], 2)
            returned = number(found["return"]["iqm"], 0)
            below = f"single attempts {single}, return {returned}"
            cells.append(f"{interval(found[WITHSTOOD])}\n{below}")
        rows.append([titled(score.run), *cells])
    return Table(name, ["run", *(each.replace("_", " ") for each in columns)], rows)
