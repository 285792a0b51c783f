"""Every figure, every table and one self-contained page: `python -m stages.report`.

Reads `results/check/study.json`, `results/runs`, `results/exact`, `results/sweep` and
`results/compare`.
Writes `results/report`: `report.html`, `figures/`, and `tables/` in Markdown.
"""

from typing import Any

from pipeline.study.answers.results import load_compositions, load_scores
from pipeline.study.command import command
from pipeline.study.params.study import whole_study
from pipeline.study.report.page import page, sections, tables
from pipeline.study.report.section import Context
from pipeline.study.report.table import markdown
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.store import layout
from pipeline.study.store.files import atomic_write, read_json
from pipeline.study.training.results import load_runs


def main() -> None:
    """Draw and write everything."""
    with command("report"):
        study = whole_study()
        runs = load_runs(study)
        context = Context(
            runs,
            load_scores(study, runs),
            load_compositions(study),
            Bootstrap(**study.compare.bootstrap),
            study,
            metrics=_compared("metrics.json"),
            claims=_compared("claims.json"),
        )
        found = sections(context)
        for section in found:
            for picture in (*section.pictures, *section.more):
                atomic_write(layout.picture_file(picture.name), picture.png)
        for table in tables(context, found):
            text = "\n".join(markdown(table))
            atomic_write(layout.TABLES / f"{table.name}.md", f"{text}\n".encode())
        atomic_write(layout.REPORTED / "report.html", page(context, found).encode())


def _compared(name: str) -> Any:
    with layout.readable(layout.COMPARED / name, "compare"):
        return read_json(layout.COMPARED / name)


if __name__ == "__main__":
    main()
