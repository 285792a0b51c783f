"""A part of the page, and what parts are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy.typing as npt
from safetensors.numpy import load_file

from pipeline.study.claims.base import Evidence
from pipeline.study.params.study import Study
from pipeline.study.report.figures.album import Picture
from pipeline.study.report.table import Table
from pipeline.study.store.files import read_json
from pipeline.study.store.layout import ORACLE, ORACLES, SUMMARY, instance, readable


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

    def oracle_arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """What is kept of an exact answer for figures."""
        path = ORACLES / name / ORACLE
        with readable(path, instance("exact", name)):
            return load_file(path)

    def exact_episodes(self, task: str) -> dict[str, npt.NDArray[Any]]:
        """Of every policy that solves a task, the hottest first, by its title."""
        solved = [
            (-oracle.temperature, name)
            for name, oracle in self.study.oracles.items()
            if oracle.task == task
        ]
        return {
            f"exact/{name}, α = {-negative:.3g}": found["positions"]
            for negative, name in sorted(solved)
            if "positions" in (found := self.oracle_arrays(name))
        }
