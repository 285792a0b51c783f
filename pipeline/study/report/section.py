"""A part of the page."""

from dataclasses import dataclass

from pipeline.study.report.figures.album import Picture
from pipeline.study.report.tables import Table


@dataclass(frozen=True)
class Section:
    """About runs on one task, about one search, or about what is exact."""

    anchor: str
    title: str
    introduction: str
    table: Table | None
    pictures: list[Picture]
    more: list[Picture]
    """Shown when asked for."""
    second_table: Table | None = None
