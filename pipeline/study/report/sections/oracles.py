"""How learned policies stand beside the exact answers."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from pipeline.study.report.figures import exact
from pipeline.study.report.figures.album import Picture, of_kind
from pipeline.study.report.figures.style import by_algorithm
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import MISSING, Entry, Table, interval, place, titled
from pipeline.study.statistics.numbers import number
from pipeline.study.store.layout import part_name, picture_name
from pipeline.study.store.scores import Score

MOST_OF_A_KIND: Final = 2
"""Runs of one algorithm beside the exact answer in one figure."""
START, BETWEEN = "0:0", "2.5:2.5"
"""Places that something is aimed at: where episodes start, and between goals."""
INTRODUCTION: Final = (
    "A task in the plane is solved by soft value iteration on a grid, so that it is "
    "known what a learner should have learned; a linear system with quadratic costs "
    "has its answer in closed form. KL is the divergence from the learned "
    "to the exact distribution of actions, between the masses of equal cells, in "
    "nats; a value error is relative to V*. A learner without a temperature is "
    "compared with every oracle of its task. The best single Gaussian is the closest "
    "squashed Gaussian with independent axes that a numerical search finds in each "
    "place by itself."
)


def sections(context: Context) -> Iterator[Section]:
    """One section, if the study has oracles."""
    if not context.study.oracles:
        return
    scores = [score for score in context.scores if score.exact]
    tables = [make(scores, context) for make in (distances, oracles, aimed_at)]
    yield Section(
        "exact",
        "Against the exact answer",
        INTRODUCTION,
        [table for table in tables if table.rows],
        list(_beside(scores, context)),
        list(_alone(context)),
    )


# ------------------------------------------------------------------------ pictures


def _beside(scores: Sequence[Score], context: Context) -> Iterator[Picture]:
    for name, settings in context.study.oracles.items():
        beside = _some([score for score in scores if name in score.oracles])
        if beside:
            yield Picture(
                part_name(picture_name("exact", name), "beside"),
                f"Densities of actions in some places of {settings.task} at "
                f"α = {settings.temperature:.3g}, for the exact policy and the "
                "first seed of each run; shades of a row are of one scale.",
                exact.side_by_side(beside, name),
            )


def _some(scores: Sequence[Score]) -> list[Score]:
    """The first few of every algorithm."""
    groups = by_algorithm([score.run for score in scores])
    chosen = {run.id for alike in groups for run in alike[:MOST_OF_A_KIND]}
    return [score for score in scores if score.run.id in chosen]


def _alone(context: Context) -> Iterator[Picture]:
    for name, settings in context.study.oracles.items():
        task = context.study.tasks[settings.task]
        draw = of_kind(task.kind).oracle
        if draw is not None:
            title = _title(name, context)
            yield Picture(
                picture_name("exact", name),
                f"{title} (exact/{name}): the soft-optimal value, episodes and "
                "actions.",
                draw(context.oracle_arrays(name), task, title),
            )


def _title(oracle: str, context: Context) -> str:
    settings = context.study.oracles[oracle]
    return f"{settings.task}, α = {settings.temperature:.3g}"


# -------------------------------------------------------------------------- tables


def oracles(_: Sequence[Score], context: Context) -> Table:
    """One row for every task that was solved."""
    columns = {
        "V* at the start": ("value", 1),
        "entropy there (nats)": ("entropy", 2),
        "mean over starts": ("entropy_at_starts", 2),
        "return": ("return", 1),
        "its deviation": ("return_deviation", 1),
        "steps": ("episode_length", 1),
        "success": ("success", 3),
        "ends past the line": ("past_line", 3),
        "spread of directions": ("direction_spread", 2),
        "ends at the goal nearest to the start": ("nearest_goal", 2),
        "change by refinement": ("refinement_change", 4),
    }
    goals = {
        name: ", ".join(f"{x:.2f}" for key, x in summary.items() if _is_goal(key))
        for name, summary in context.oracles.items()
    }
    known = {key for summary in context.oracles.values() for key in summary}
    columns = {title: of for title, of in columns.items() if of[0] in known}
    rows = []
    for name, summary in context.oracles.items():
        cells = [
            number(summary[key], digits) if key in summary else MISSING
            for key, digits in columns.values()
        ]
        if any(goals.values()):
            cells.append(goals[name] or MISSING)
        rows.append([f"{_title(name, context)}\nexact/{name}", *cells])
    shares = ["share of each goal"] if any(goals.values()) else []
    return Table("oracles", ["task", *columns, *shares], rows)


def _is_goal(key: str) -> bool:
    return key.startswith("goal_") and key.removeprefix("goal_").isdecimal()


def distances(scores: Sequence[Score], context: Context) -> Table:
    """One row for every run and oracle: KL at each place, and what else is off.

    Below, for every oracle: what a single Gaussian can do at most.
    """
    places = list(dict.fromkeys(place for score in scores for place in score.places))
    rows = [
        [
            titled(score.run),
            oracle,
            *(interval(found.get("reverse_kl", {}).get(place)) for place in places),
            _worst(found, "forward_kl"),
            _worst(found, "total_variation"),
            _worst(found, "value_error", percent=True),
            _worst(found, "ways_total_variation"),
        ]
        for score in scores
        for entry in [context.metrics["explore"][score.run.name]["exact"]]
        for oracle, found in ((oracle, entry[oracle]) for oracle in score.oracles)
    ]
    for oracle in dict.fromkeys(oracle for score in scores for oracle in score.oracles):
        least = [context.oracles[oracle].get(f"best_gaussian/{at}") for at in places]
        if any(least):  # otherwise the exact policy is a Gaussian
            cells = [MISSING if kl is None else number(kl, 2) for kl in least]
            title = f"best single Gaussian\nexact/{oracle}"
            rows.append([title, oracle, *cells, *[MISSING] * 4])
    named = [f"KL at {place(at)}" for at in places]
    worst = ["forward KL", "total variation", "value error"]
    elsewhere = [f"{name}, worst place" for name in worst]
    columns = ["run", "oracle", *named, *elsewhere, "total variation of ways"]
    return Table("distances", columns, rows)


def _worst(found: Entry, metric: str, *, percent: bool = False) -> str:
    """Of all places the one with the largest mean."""
    entries = found.get(metric, {}).values()
    entry = max(entries, key=lambda each: float(each["iqm"]), default=None)
    return interval(entry, percent=percent)


def aimed_at(scores: Sequence[Score], context: Context) -> Table:
    """What this project aims at in soft Q-learning, a row for every run.

    A score of .95, of .9 from α = 1 down; a third of the divergence that the best
    single Gaussian has; at (0, 0) a value within 2 %, 1 % at α = 10.
    """
    rows = []
    for score in scores:
        run = score.run
        if run.task.kind != "multigoal" or run.algorithm.kind != "sql":
            continue
        if not {START, BETWEEN} <= set(score.places):
            continue
        oracle = score.oracles[0]
        alpha = run.temperature or 0.0
        least, off = (0.95, 1 if alpha >= 10 else 2) if alpha > 1 else (0.9, 2)
        reached = run.final["multi_goal_score"]
        value = 100 * score.exact[f"{oracle}/value_error/{START}"]
        cells = [
            f"score ≥ {least:g}: {(reached >= least).sum()} of {len(reached)} seeds, "
            f"lowest {reached.min():.4f}",
            f"value ≤ {off} %: {(value <= off).sum()} of {len(value)} seeds, "
            f"largest {value.max():.2f} %",
        ]
        for at in (START, BETWEEN):
            third = context.oracles[oracle][f"best_gaussian/{at}"] / 3
            kl = score.exact[f"{oracle}/reverse_kl/{at}"]
            cells.append(
                f"KL ≤ {third:.2f} at {place(at)}: {(kl <= third).sum()} of {len(kl)} "
                f"seeds, median {np.median(kl):.3f}"
            )
        rows.append([f"{run.id}, {run.steps} steps", "\n".join(cells)])
    caption = (
        "What this project aims at in soft Q-learning, and how many seeds get there."
    )
    return Table("aims", ["run", "aim and what was reached"], rows, caption)
