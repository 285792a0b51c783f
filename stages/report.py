"""Every figure and one self-contained page: `python -m stages.report`.

Reads `params.yaml`, `results/runs`, `results/sweep` and `results/compare`.
Writes `results/report`: `report.html` and `figures/`.
"""

from pathlib import Path
from typing import Final

from pipeline.study.files import atomic_write, read_json
from pipeline.study.params import load_study, user_errors
from pipeline.study.report import page, searches, sections
from pipeline.study.results import load_runs

OUT: Final = Path("results/report")
COMPARED: Final = Path("results/compare")
SWEEPS: Final = Path("results/sweep")


def main() -> None:
    """Draw and write everything."""
    with user_errors():
        study = load_study()
        runs = load_runs(study)
        results = list(sections(study, runs, read_json(COMPARED / "metrics.json")))
        searched = list(searches(study, SWEEPS))
        for section in results + searched:
            for picture in section.pictures + section.more:
                atomic_write(OUT / "figures" / f"{picture.name}.png", picture.png)
        text = page(
            study,
            runs,
            claims=read_json(COMPARED / "claims.json"),
            sections=results,
            searches=searched,
            sweeps=SWEEPS,
        )
        atomic_write(OUT / "report.html", text.encode())


if __name__ == "__main__":
    main()
