"""A part of the page, and what parts are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.study.params import Study
from pipeline.study.report.figures.album import Picture
from pipeline.study.report.table import Table
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.store.files import read_json
from pipeline.study.store.layout import ORACLES, SUMMARY, instance, readable
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import Composition, Score


@dataclass(frozen=True)
class Section:
    """About runs on one task, about one search, or about what is exact."""

    anchor: str
    title: str
    introduction: str
    pictures: Sequence[Picture]
    table: Table | None = None
    """Above the pictures."""
    below: Sequence[Table] = ()
    """Below the pictures."""
    more: Sequence[Picture] = ()
    """Shown when asked for."""
    is_search: bool = False
    """Whether it is about a sweep; those stand together."""

    @property
    def tables(self) -> list[Table]:
        """All of its tables."""
        return [*([] if self.table is None else [self.table]), *self.below]


@dataclass(frozen=True)
class Context:
    """The results of a study, from which every section is made."""

    study: Study
    runs: Sequence[Run]
    scores: Sequence[Score]
    compositions: Sequence[Composition]
    metrics: Mapping[str, Any]
    """Content of `metrics.json`."""
    claims: Sequence[Mapping[str, Any]]
    """Content of `claims.json`."""

    @property
    def bootstrap(self) -> Bootstrap:
        """How intervals are made."""
        return Bootstrap(**self.study.compare.model_dump())

    @cached_property
    def oracles(self) -> dict[str, dict[str, float]]:
        """What is known of every exact answer, by its name."""
        found = {}
        for name in self.study.exact.oracles:
            path = ORACLES / name / SUMMARY
            with readable(path, instance("exact", name)):
                found[name] = read_json(path)
        return found
