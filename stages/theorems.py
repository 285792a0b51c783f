"""Show what the theorems say, on processes small enough for tables.

Command: `python -m stages.theorems`
Reads `results/check/theorems.json`.
Writes `results/exact/theorems`.
"""

from pipeline.study.command import command, description
from pipeline.study.store.layout import THEOREMS


def main() -> None:
    """Compute every demonstration."""
    with command("theorems"):
        from pipeline.study.answers.theorems import write_theorems

        write_theorems(description("theorems"), THEOREMS)


if __name__ == "__main__":
    main()
