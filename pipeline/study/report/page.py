"""One page about a study: claims, results, searches, settings; nothing from outside.

The page says what was measured and how sure that is. It has as many sections as the
study has results, and the same results make the same bytes.
"""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.study.params.study import Study
from pipeline.study.report import tables
from pipeline.study.report.figures import album
from pipeline.study.report.section import Section
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.statistics.compare import panels
from pipeline.study.store.runs import Run
from pipeline.study.sweep.trials import load_sweep

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


def sections(
    study: Study, runs: Sequence[Run], metrics: dict[str, Any]
) -> Iterator[Section]:
    """Results, by stage and task."""
    bootstrap = Bootstrap(**study.compare.model_dump())
    for (stage, task), together in panels(runs).items():
        name = f"{stage}_{task}"
        introduction = INTRODUCTIONS.get((stage, together[0].task.kind), "")
        pictures = album.of_panel(name, together, metrics=metrics, bootstrap=bootstrap)
        yield Section(
            name,
            f"{TITLES[stage]}: {task}",
            f"{introduction} {_set_return(together, metrics)}".strip(),
            tables.results(together, metrics),
            list(pictures),
            list(album.of_runs(together)),
        )


def _set_return(runs: Sequence[Run], metrics: dict[str, Any]) -> str:
    """How the return that has to be arrived at was set."""
    for run in runs:
        found = metrics[run.stage][run.name].get("steps_to_return")
        if found is not None:
            threshold = found["threshold"]
            shown = tables.number(threshold, tables.digits_for(threshold))
            return (
                f"The set return is {shown}: half-way from the first evaluation of "
                "fresh networks to the best end of any run. Steps of pretraining are "
                "not counted."
            )
    return ""


def searches(study: Study, folder: Path) -> Iterator[Section]:
    """What each sweep tried; sweeps without trials are not shown."""
    for name, run in study.sweep.runs.items():
        sweep = load_sweep(folder / name / "trials", study.algorithms[name].kind)
        pictures = list(album.of_sweep(sweep))
        if pictures:
            value = sweep.best["value"]
            yield Section(
                f"sweep_{name}",
                f"Search: {name}",
                f"On {run.task}, {tables.number(sweep.steps, 0)} steps a seed. Best "
                f"trial: {sweep.best['trial']}, with a mean {sweep.objective} of "
                f"{tables.number(value, tables.digits_for(value))} over seeds "
                f"{', '.join(str(seed) for seed in sweep.seeds)}, which the study does "
                "not use. That number is the best of many and hence too high; results "
                "are those of the study's own seeds.",
                None,
                pictures,
                [],
            )


def page(
    study: Study,
    runs: Sequence[Run],
    *,
    claims: Sequence[dict[str, Any]],
    sections: Sequence[Section],
    searches: Sequence[Section],
    sweeps: Path,
) -> str:
    """The whole page.

    Args:
        study: Its settings.
        runs: Everything that was trained.
        claims: Content of `claims.json`.
        sections: Results.
        searches: What the sweeps tried.
        sweeps: Folder with `<algorithm>/best.yaml`.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["embedded"] = _embedded
    return environment.get_template("page.html").render(
        study=study,
        confidence=f"{study.compare.confidence:.0%}",
        runs=runs,
        claims=claims,
        sections=sections,
        searches=searches,
        unsearched=[
            name
            for name, run in study.sweep.runs.items()
            if study.sweep.budgets[run.task].batches == 0
        ],
        reached=_reached(study),
        settings={
            "Runs": tables.trainings(runs),
            "Tasks": tables.beside(study.tasks, "setting"),
            "Algorithms, as trained": tables.trained(study, sweeps),
        },
    )


def _reached(study: Study) -> str | None:
    """The share of episodes from which on a goal counts, if there are goals."""
    if all(task.kind != "multigoal" for task in study.tasks.values()):
        return None
    from pipeline.core.tasks.multigoal.metrics import REACHED_SHARE

    return f"{REACHED_SHARE:.0%}"


def _embedded(png: bytes) -> str:
    """A picture as an address that contains it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
