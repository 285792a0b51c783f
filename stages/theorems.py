"""Show what the theorems say, on processes small enough for tables.

Command: `python -m stages.theorems`
Reads `params.yaml`.
Writes `results/exact/theorems`.
"""

from pipeline.study.command import command
from pipeline.study.store.layout import THEOREMS


def main() -> None:
    """Compute every demonstration."""
    with command() as study:
        from pipeline.study.answers.theorems import write_theorems

        write_theorems(THEOREMS, study.theorems)


if __name__ == "__main__":
    main()
