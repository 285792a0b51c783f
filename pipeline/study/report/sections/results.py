"""What was learned, by stage and task."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.report.figures import album
from pipeline.study.report.figures.style import short
from pipeline.study.report.section import Context, Section
from pipeline.study.report.table import MISSING, Entry, Table, interval, titled
from pipeline.study.statistics.curves import panels
from pipeline.study.statistics.goals import nearest_goal_shares
from pipeline.study.statistics.numbers import digits_for, number
from pipeline.study.statistics.threshold import FIXED, HALF_WAY, STEPS_TO
from pipeline.study.store.layout import panel_name, part_name
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
    ("explore", "navigation"): (
        "A body in a world where several ways look alike at first. A policy of maximum "
        "entropy should try all of them; what counts is which of them training found, "
        "and which the policy keeps."
    ),
    ("pretrain", "navigation"): (
        "No way is better than another. A policy of maximum entropy should learn all "
        "of them."
    ),
    ("finetune", "navigation"): (
        "One task in a world: learned from pretrained networks of the same seed, and "
        "from fresh ones."
    ),
}


def sections(context: Context) -> Iterator[Section]:
    """A section for every stage and task."""
    for (stage, task), together in panels(context.runs).items():
        name = panel_name(stage, task)
        introduction = INTRODUCTIONS.get((stage, together[0].task.kind), "")
        pictures = album.of_panel(
            name,
            together,
            metrics=context.metrics,
            bootstrap=context.bootstrap,
            solved=partial(context.exact_episodes, task),
        )
        yield Section(
            name,
            f"{_title(stage, together)}: {task}",
            f"{introduction} {threshold_return(together, context)}".strip(),
            [
                results(name, together, context.metrics),
                *_nearest_goals(name, together, context),
            ],
            list(pictures),
            list(album.of_runs(together)),
        )


def _title(stage: str, runs: Sequence[Run]) -> str:
    """What the section is about; nothing is tuned where all runs begin afresh."""
    return "Learning" if {run.stage for run in runs} == {"scratch"} else TITLES[stage]


def threshold_return(runs: Sequence[Run], context: Context) -> str:
    """What the threshold return is, if there is one, and whence."""
    for run in runs:
        found = context.metrics[run.stage][run.name].get("steps_to_threshold")
        if found is not None:
            value = found["threshold"]
            fixed = run.task_name in context.study.compare.threshold_returns
            return (
                f"The threshold return is {number(value, digits_for(value))}: "
                f"{FIXED if fixed else HALF_WAY}. Steps of pretraining are not counted."
            )
    return ""


# -------------------------------------------------------------------------- tables


def results(name: str, runs: Sequence[Run], metrics: Mapping[str, Any]) -> Table:
    """A row for each run: metrics, steps to thresholds, and the odds to comparators.

    The runs are on one task; `metrics` is the content of `metrics.json`.
    """
    entries = [metrics[run.stage][run.name] for run in runs]
    found = {metric for entry in entries for metric in entry}
    cells: dict[str, Callable[[Run, Entry], str]] = {
        **dict.fromkeys([x for x in runs[0].task.columns if x in found], _final),
        **dict.fromkeys(sorted(x for x in found if x.startswith(STEPS_TO)), _steps),
        **dict.fromkeys(found & {"probability_of_improvement"}, _improvements),
    }
    rows = [
        [
            titled(run),
            *(
                cell(run, entry[metric]) if metric in entry else MISSING
                for metric, cell in cells.items()
            ),
        ]
        for run, entry in zip(runs, entries, strict=True)
    ]
    return Table(name, ["run", *(short(metric) for metric in cells)], rows)


def _final(run: Run, found: Entry) -> str:
    seeds, total = int(found["seeds"]), len(run.seeds)
    return interval(found) + (
        f"\nonly {seeds} of {total} seeds" if seeds < total else ""
    )


def _steps(run: Run, found: Entry) -> str:
    beyond = "> " if found["share"] < 1 / 2 else ""
    reached = f"{round(found['share'] * len(run.seeds))} of {len(run.seeds)} seeds"
    return f"{beyond}{number(found['median'], 0)}\n{reached}"


def _improvements(run: Run, found: Entry) -> str:
    """In the task's objective, against each comparator."""
    lines = [
        f"{interval(against[run.task.objective])}\n{comparator}"
        for comparator, against in found.items()
        if run.task.objective in against
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
        task = context.study.oracles[oracle].task
        if task == runs[0].task_name and "nearest_goal" in summary:
            share = f"{summary['nearest_goal']:.2f}"
            rows.append([f"the exact policy, exact/{oracle}", share])
    yield Table(
        part_name(name, "nearest_goal"),
        ["run", "share"],
        rows,
        "Share of the kept final episodes that end at the goal nearest to their start, "
        "each seed.",
    )
