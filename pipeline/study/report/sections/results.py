"""What was learned, by stage and task."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.report.figures import album
from pipeline.study.report.figures.style import METRICS
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import MISSING, Entry, Table, interval, titled
from pipeline.study.statistics.curves import panels
from pipeline.study.statistics.goals import nearest_goal_shares
from pipeline.study.statistics.numbers import digits_for, number
from pipeline.study.statistics.threshold import STEPS_TO
from pipeline.study.store.runs import Run

TITLES: Final = {
    "explore": "Exploration",
    "pretrain": "Pretraining",
    "finetune": "Fine-tuning",
}
INTRODUCTIONS: Final = {
    ("explore", "multigoal"): (
        "Several goals are equally good. A policy of maximum entropy should go to all "
        "of them; what counts is which goals are found, how evenly and how early."
    ),
    ("pretrain", "locomotion"): (
        "No direction is better than another. A policy of maximum entropy should learn "
        "all of them."
    ),
    ("finetune", "locomotion"): (
        "One direction is asked for: learned from pretrained networks of the same "
        "seed, and from fresh ones."
    ),
}


def sections(context: Context) -> Iterator[Section]:
    """A section for every stage and task."""
    for (stage, task), together in panels(context.runs).items():
        name = f"{stage}_{task}"
        introduction = INTRODUCTIONS.get((stage, together[0].task.kind), "")
        pictures = album.of_panel(
            name, together, metrics=context.metrics, bootstrap=context.bootstrap
        )
        yield Section(
            name,
            f"{TITLES[stage]}: {task}",
            f"{introduction} {_threshold(together, context.metrics)}".strip(),
            list(pictures),
            results(name, together, context.metrics),
            list(_nearest_goals(name, together, context)),
            list(album.of_runs(together)),
        )


def _threshold(runs: Sequence[Run], metrics: Mapping[str, Any]) -> str:
    """What the threshold return is, if there is one."""
    for run in runs:
        found = metrics[run.stage][run.name].get("steps_to_threshold")
        if found is not None:
            threshold = found["threshold"]
            return (
                f"The threshold return is {number(threshold, digits_for(threshold))}: "
                "half-way from the first evaluation of fresh networks to the best end "
                "of any run. Steps of pretraining are not counted."
            )
    return ""


# -------------------------------------------------------------------------- tables


def results(name: str, runs: Sequence[Run], metrics: Mapping[str, Any]) -> Table:
    """A row for each run: metrics, steps to thresholds, and the odds to comparators.

    Args:
        name: Of the table.
        runs: On one task.
        metrics: Content of `metrics.json`.
    """
    entries = [metrics[run.stage][run.name] for run in runs]
    makers: dict[str, Callable[[Run, Entry], str]] = {
        METRICS.get(metric, metric).split(" (")[0]: _final(metric)
        for metric in runs[0].task.columns
    }
    found = {metric for entry in entries for metric in entry}
    for metric in sorted(name for name in found if name.startswith(STEPS_TO)):
        makers[METRICS.get(metric, metric.replace("_", " "))] = _steps(metric)
    if "probability_of_improvement" in found:
        makers["P(better than comparator)"] = _improvements
    rows = [
        [titled(run), *(make(run, entry) for make in makers.values())]
        for run, entry in zip(runs, entries, strict=True)
    ]
    return Table(name, ["run", *makers], rows)


def _final(metric: str) -> Callable[[Run, Entry], str]:
    def cell(run: Run, entry: Entry) -> str:
        if metric not in entry:
            return MISSING
        seeds, total = entry[metric]["seeds"], len(run.seeds)
        missing = f"\nonly {seeds} of {total} seeds" if seeds < total else ""
        return interval(entry[metric]) + missing

    return cell


def _steps(metric: str) -> Callable[[Run, Entry], str]:
    def cell(run: Run, entry: Entry) -> str:
        if metric not in entry:
            return MISSING
        found = entry[metric]
        total = len(run.seeds)
        beyond = "> " if found["share"] < 1 / 2 else ""
        reached = f"{round(found['share'] * total)} of {total} seeds"
        return f"{beyond}{number(found['median'], 0)}\n{reached}"

    return cell


def _improvements(run: Run, entry: Entry) -> str:
    """In the task's objective, against each comparator."""
    lines = [
        f"{interval(found[run.task.objective])}\n{comparator}"
        for comparator, found in entry.get("probability_of_improvement", {}).items()
        if run.task.objective in found
    ]
    return "\n".join(lines) or MISSING


def _nearest_goals(name: str, runs: Sequence[Run], context: Context) -> Iterator[Table]:
    """How far the random start alone decides where episodes end, and should."""
    if not isinstance(runs[0].task, MultiGoal):
        return
    rows = [
        [run.id, ", ".join(f"{share:.2f}" for share in nearest_goal_shares(run))]
        for run in runs
    ]
    for oracle, summary in context.oracles.items():
        task = context.study.exact.oracles[oracle].task
        if task == runs[0].task_name and "nearest_goal" in summary:
            share = f"{summary['nearest_goal']:.2f}"
            rows.append([f"the exact policy, exact/{oracle}", share])
    yield Table(
        f"{name}_nearest_goal",
        ["run", "share"],
        rows,
        "Share of the kept final episodes that end at the goal nearest to their start, "
        "each seed.",
    )
