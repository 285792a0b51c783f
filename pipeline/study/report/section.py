"""A part of the page, and what parts are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.study.claims.base import Evidence
from pipeline.study.params.study import Study
from pipeline.study.report.figures.album import Picture
from pipeline.study.report.table import Table
from pipeline.study.store.files import read_json
from pipeline.study.store.layout import ORACLES, SUMMARY, instance, readable


@dataclass(frozen=True)
class Section:
    """About runs on one task, about one search, or about what is exact."""

    anchor: str
    title: str
    introduction: str
    tables: Sequence[Table]
    """The first is above the pictures, the others are below."""
    pictures: Sequence[Picture]
    more: Sequence[Picture] = ()
    """Shown when asked for."""
    is_search: bool = False
    """Whether it is about a sweep; those stand together."""


@dataclass(frozen=True)
class Context(Evidence):
    """The results of a study and what they say, from which every section is made."""

    study: Study
    metrics: Mapping[str, Any]
    """Content of `metrics.json`."""
    claims: Sequence[Mapping[str, Any]]
    """Content of `claims.json`."""

    @cached_property
    def oracles(self) -> dict[str, dict[str, float]]:
        """What is known of every exact answer, by its name."""
        found = {}
        for name in self.study.oracles:
            path = ORACLES / name / SUMMARY
            with readable(path, instance("exact", name)):
                found[name] = read_json(path)
        return found
