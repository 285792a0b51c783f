"""What one part of `params.yaml` says about another: names, seeds, spaces, sizes.

Every check yields mistakes. An entry that is wrong in itself is left out of the study
that comes here, so a name counts as known as soon as the file has it.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from pipeline.study.params.checks import exact, runs, settings, sweeps
from pipeline.study.params.checks.found import Found
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, Mistake

Check: TypeAlias = Callable[[Study, Document], Found]

CHECKS: Final[tuple[Check, ...]] = (
    settings.seeds,
    settings.worlds,
    settings.tasks,
    settings.algorithms,
    sweeps.budgets,
    sweeps.searches,
    runs.names,
    runs.steps,
    runs.seeds,
    runs.starts,
    runs.thresholds,
    exact.oracles,
    exact.compositions,
    exact.perturbations,
)


def mistakes_between_parts(study: Study, document: Document) -> Iterator[Mistake]:
    """Everything that only shows when parts of the file are seen together."""
    for check in CHECKS:
        for place, message in check(study, document):
            yield document.mistake(place, message)
