"""Every figure and one self-contained page: `python -m stages.report`.

Reads `results/check/study.json`, `results/runs`, `results/exact`, `results/sweep` and
`results/compare`.
Writes `results/report`: `report.html` and `figures/`.
"""

from typing import Any

from pipeline.study.command import command
from pipeline.study.params.study import whole_study
from pipeline.study.report.exact_sections import exact_sections
from pipeline.study.report.page import page, searches, sections
from pipeline.study.store.files import atomic_write, read_json
from pipeline.study.store.layout import (
    COMPARED,
    REPORTED,
    SWEEPS,
    picture_file,
    readable,
)
from pipeline.study.training.results import load_runs


def main() -> None:
    """Draw and write everything."""
    with command("report"):
        study = whole_study()
        runs = load_runs(study)
        metrics, claims = _compared("metrics.json"), _compared("claims.json")
        results = [
            *sections(study, runs, metrics),
            *exact_sections(study, runs, metrics),
        ]
        searched = list(searches(study, SWEEPS))
        for section in results + searched:
            for picture in section.pictures + section.more:
                atomic_write(picture_file(picture.name), picture.png)
        text = page(
            study,
            runs,
            claims=claims,
            sections=results,
            searches=searched,
            sweeps=SWEEPS,
        )
        atomic_write(REPORTED / "report.html", text.encode())


def _compared(name: str) -> Any:
    with readable(COMPARED / name, "compare"):
        return read_json(COMPARED / name)


if __name__ == "__main__":
    main()
