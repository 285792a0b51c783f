"""One page about a study: claims, results, searches, settings; nothing from outside.

The page says what was measured and how sure that is. It has as many sections as the
study has results, and the same results make the same bytes. A new section is its file
under `sections/` and an entry of `SECTIONS`.
"""

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.machine.processes import processes
from pipeline.study.params.study import Study
from pipeline.study.report.section import Context, Section
from pipeline.study.report.sections import (
    composition,
    oracles,
    results,
    robustness,
    searches,
    sensitivity,
    theory,
)
from pipeline.study.report.settings import claimed, settings
from pipeline.study.report.table import Table

SECTIONS: Final = (
    results.sections,
    theory.sections,
    oracles.sections,
    robustness.sections,
    composition.sections,
    searches.together,
    sensitivity.sections,
    searches.sections,
)
"""What makes the sections, in the order of the page."""


def sections(context: Context) -> list[Section]:
    """Every section that the study has results for, made side by side."""
    with processes() as side_by_side:
        made = side_by_side.map(partial(_made, context), SECTIONS)
        return [section for sections in made for section in sections]


def _made(
    context: Context, make: Callable[[Context], Iterator[Section]]
) -> list[Section]:
    return [*make(context)]


def tables(context: Context, sections: Sequence[Section]) -> Iterator[Table]:
    """Every table of the page."""
    yield claimed(context.claims)
    for section in sections:
        yield from section.tables
    yield from settings(context).values()


def page(context: Context, sections: Sequence[Section]) -> str:
    """The whole page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["embedded"] = _embedded
    study = context.study
    return environment.get_template("page.html").render(
        study=study,
        confidence=f"{study.compare.confidence:.0%}",
        runs=context.runs,
        seeds=seeds_of_each(context),
        claims=claimed(context.claims),
        verdicts=Counter(claim["verdict"] for claim in context.claims),
        sections=[section for section in sections if not section.is_search],
        searches=[section for section in sections if section.is_search],
        unsearched=[name for name in study.sweep.runs if not study.is_searched(name)],
        reached=_reached(study),
        settings=settings(context),
    )


def seeds_of_each(context: Context) -> str:
    """How many seeds runs have: `6`, or `6 to 60`; those of the study without runs."""
    counts = [len(run.seeds) for run in context.runs]
    ends = {min(counts), max(counts)} if counts else {len(context.study.study.seeds)}
    return " to ".join(map(str, sorted(ends)))


def _reached(study: Study) -> str | None:
    """The share of episodes from which on a goal counts, if there are goals."""
    if not any(isinstance(task, MultiGoal) for task in study.tasks.values()):
        return None
    from pipeline.core.tasks.multigoal.metrics import REACHED_SHARE

    return f"{REACHED_SHARE:.0%}"


def _embedded(png: bytes) -> str:
    """A picture as an address that contains it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
