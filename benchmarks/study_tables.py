"""The tables of a computed study: printed, or copied into a page of `docs/results`.

    python -m benchmarks.study_tables .studies/multigoal
    python -m benchmarks.study_tables .studies/multigoal docs/results/multigoal.md

Reads `results/report/tables/NAME.md` of the folder, which the stage `report` wrote.
In the page, what stands between `<!-- table NAME -->` and `<!-- end -->` is replaced by
that file, and everything else is kept. `machine` is what computed the study: the
machine on which this command runs.
"""

import re
import sys
from pathlib import Path
from typing import Final

from benchmarks.machine import machine
from pipeline.study.store.layout import TABLES

PACKAGES: Final = ("torch", "numpy", "gymnasium", "mujoco", "optuna", "mlflow", "dvc")
BLOCK: Final = re.compile(r"<!-- table ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def tables(folder: Path) -> dict[str, str]:
    """Every table of the study in a folder, by its name."""
    found = {"machine": f"Measured on: {machine(*PACKAGES)}\n"}
    for path in sorted((folder / TABLES).glob("*.md")):
        found[path.stem] = path.read_text()
    return found


def filled(page: str, tables: dict[str, str]) -> str:
    """The page with the tables that its markers name.

    Raises:
        SystemExit: The study has no such table.
    """

    def block(match: re.Match[str]) -> str:
        name = match[1]
        if name not in tables:
            raise SystemExit(f"no table {name}; there are {', '.join(tables)}")
        return f"<!-- table {name} -->\n{tables[name]}<!-- end -->"

    return BLOCK.sub(block, page)


def main(folder: str = ".", page: str = "") -> None:
    found = tables(Path(folder))
    if page:
        path = Path(page)
        path.write_text(filled(path.read_text(), found))
    else:
        for name, table in found.items():
            print(f"<!-- table {name} -->\n{table}<!-- end -->\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
