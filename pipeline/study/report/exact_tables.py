"""Tables of exact answers, distances from them, changed tasks and compositions."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.study.params.study import Study
from pipeline.study.report.figures.style import describe
from pipeline.study.report.tables import Entry, Table, digits_for, interval, number
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import WITHSTOOD, Composition, Score

MISSING = "–"


def oracles(study: Study, summaries: Mapping[str, Mapping[str, float]]) -> Table:
    """One row for every task that was solved."""
    columns = {
        "V* at the start": ("value", 1),
        "entropy there (nats)": ("entropy", 2),
        "mean over starts": ("entropy_at_starts", 2),
        "return": ("return", 1),
        "its deviation": ("return_deviation", 1),
        "steps": ("episode_length", 1),
        "success": ("success", 3),
        "ends at the goal nearest to the start": ("nearest_goal", 2),
        "change by refinement": ("refinement_change", 4),
    }
    rows = []
    for name, summary in summaries.items():
        settings = study.oracles[name]
        cells = [
            number(summary[key], digits) if key in summary else MISSING
            for key, digits in columns.values()
        ]
        shares = [summary[key] for key in summary if key.startswith("goal_")]
        goals = ", ".join(f"{share:.2f}" for share in shares) or MISSING
        title = f"{settings.task}, α = {settings.temperature:.3g}"
        rows.append([f"{title}\nexact/{name}", *cells, goals])
    return Table(["task", *columns, "share of each goal"], rows)


def distances(
    scores: Sequence[Score],
    metrics: Mapping[str, Any],
    summaries: Mapping[str, Mapping[str, float]],
) -> Table:
    """One row for every run and oracle: KL at each place, and what else is off.

    Below, for every oracle: what a single Gaussian can do at most.
    """
    places = list(dict.fromkeys(place for score in scores for place in score.places))
    rows = []
    for score in scores:
        entry = metrics["explore"][score.run.name]["exact"]
        for oracle in score.oracles:
            found = entry[oracle]
            rows.append(
                [
                    f"{describe(score.run)}\n{score.run.id}",
                    oracle,
                    *(_cell(found, "reverse_kl", place) for place in places),
                    _worst(found, "forward_kl"),
                    _worst(found, "total_variation"),
                    _worst(found, "value_error", percent=True),
                ]
            )
    compared = {oracle: None for score in scores for oracle in score.oracles}
    for oracle in compared:
        found = summaries[oracle]
        least = [found.get(f"best_gaussian/{place}") for place in places]
        if not any(least):
            continue  # the exact policy is a Gaussian
        cells = [MISSING if kl is None else number(kl, 2) for kl in least]
        title = f"best single Gaussian\nexact/{oracle}"
        rows.append([title, oracle, *cells, *[MISSING] * 3])
    named = [f"KL at ({place.replace(':', ', ')})" for place in places]
    worst = ["forward KL", "total variation", "value error"]
    return Table(
        ["run", "oracle", *named, *(f"{name}, worst place" for name in worst)], rows
    )


def _cell(found: Entry, metric: str, place: str) -> str:
    entry = found.get(metric, {}).get(place)
    return MISSING if entry is None else interval(entry)


def _worst(found: Entry, metric: str, *, percent: bool = False) -> str:
    """Of all places the one with the largest mean."""
    if metric not in found:
        return MISSING
    entry = max(found[metric].values(), key=lambda each: float(each["iqm"]))
    if not percent:
        return interval(entry)
    middle, low, high = (100 * entry[name] for name in ("iqm", "low", "high"))
    digits = digits_for(middle, low, high)
    return " ".join(
        [
            f"{number(middle, digits)} %",
            f"[{number(low, digits)}, {number(high, digits)}]",
        ]
    )


def changed_tasks(scores: Sequence[Score], metrics: Mapping[str, Any]) -> Table:
    """One row for every run: starts that are mastered, and what single tries do."""
    columns = list(dict.fromkeys(name for one in scores for name in one.perturbations))
    rows = []
    for score in scores:
        entry = metrics["explore"][score.run.name]["robustness"]
        cells = []
        for name in columns:
            found = entry.get(name)
            if found is None:
                cells.append(MISSING)
                continue
            single = number(found["success"]["iqm"], 2)
            returned = number(found["return"]["iqm"], 0)
            below = f"single tries {single}, return {returned}"
            cells.append(f"{interval(found[WITHSTOOD])}\n{below}")
        rows.append([f"{describe(score.run)}\n{score.run.id}", *cells])
    return Table(["run", *(name.replace("_", " ") for name in columns)], rows)


def compositions(
    composed: Sequence[Composition], runs: Mapping[str, Run], metrics: Mapping[str, Any]
) -> Table:
    """One row for every composition, with the exact policy's numbers below."""
    rows = []
    for one in composed:
        entry, exact = metrics["compose"][one.name], one.summary
        kl = entry.get("reverse_kl", {})
        rows.append(
            [
                f"{one.combine} of {one.first} and {one.second}\ncompose/{one.name}",
                f"{describe(runs[f'explore/{one.first}'])}",
                f"{interval(entry['success'])}\n"
                f"exact: {number(exact['oracle/success'], 2)}",
                _rarest(entry, exact),
                f"{interval(entry['return'])}\n"
                f"exact: {number(exact['oracle/return'], 1)}",
                "\n".join(
                    line
                    for place, found in kl.items()
                    for line in (interval(found), f"at ({place.replace(':', ', ')})")
                )
                or MISSING,
                _excess(entry, exact),
            ]
        )
    return Table(
        [
            "composition",
            "parts",
            "both goals reached",
            "rarest goal that both have",
            "return",
            "KL to the exact policy",
            "largest Q_S − Q*_C",
        ],
        rows,
    )


def _rarest(entry: Entry, exact: Mapping[str, float]) -> str:
    if "rarest_shared_goal" not in entry:
        return MISSING
    share = number(exact["oracle/rarest_shared_goal"], 2)
    return f"{interval(entry['rarest_shared_goal'])}\nexact: {share}"


def _excess(entry: Entry, exact: Mapping[str, float]) -> str:
    """Of averages: by how much they exceed the exact Q, and what that may be."""
    if "largest_excess" not in entry:
        return MISSING
    lost, bound = exact["bound/largest_loss"], exact["bound/largest"]
    parts = f"exact parts: {number(lost, 1)} of at most {number(bound, 1)}"
    return f"{interval(entry['largest_excess'])}\n{parts}"
