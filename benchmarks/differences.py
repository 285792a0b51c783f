"""What a change of the code did to a run, seed by seed.

    python -m benchmarks.differences OLD/results NEW/results explore/sql_10 score/sql_10

For each column of the tables of these runs: the mean over seeds, old and new, and the
mean difference with its 95 % interval (Student's t on the differences of each seed).
By chance alone, the intervals of one column in twenty leave out 0. Columns that are the
same on every seed are counted.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.speed.rows import markdown, mean_interval
from pipeline.study.store.files import read_table

TABLES = "final.csv", "scores.csv", "robustness.csv"


def columns(root: Path, run: str) -> dict[str, np.ndarray]:
    """Every column of a run's tables, a number for each seed."""
    found: dict[str, np.ndarray] = {}
    for name in TABLES:
        path = root / "runs" / run / name
        if path.exists():
            found |= read_table(path)
    return found


def compared(
    old: dict[str, np.ndarray], new: dict[str, np.ndarray]
) -> Iterator[tuple[str, float, float, tuple[float, float, float] | None]]:
    """Of each column that both have: its name, both means, and the difference.

    The difference is None where all seeds have the same.

    Raises:
        SystemExit: The seeds are others.
    """
    if not np.array_equal(old["seed"], new["seed"]):
        raise SystemExit(f"seeds {old['seed']} and {new['seed']} cannot be compared")
    for name in old.keys() & new.keys() - {"seed"}:
        a, b = old[name].astype(float), new[name].astype(float)
        same = np.array_equal(a, b, equal_nan=True)
        found = None if same else mean_interval(b - a)
        yield name, float(a.mean()), float(b.mean()), found


def main() -> None:
    """Print a table for each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differences")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("run", nargs="+", help="STAGE/RUN")
    given = parser.parse_args()
    for run in given.run:
        pairs = sorted(compared(columns(given.old, run), columns(given.new, run)))
        rows, same = [], 0
        for name, before, now, found in pairs:
            if found is None:
                same += 1
                continue
            mean, low, high = found
            apart = "**" if low > 0 or high < 0 else ""
            interval = f"{apart}{mean:+.3g} [{low:+.3g}, {high:+.3g}]{apart}"
            rows.append([name, f"{before:.4g}", f"{now:.4g}", interval])
        print(f"\n{run}: {same} columns are the same on every seed\n")
        print("\n".join(markdown(["column", "before", "now", "difference"], rows)))


if __name__ == "__main__":
    main()
