"""Search for an algorithm's temperature and learning rates.

Command: `python -m stages.sweep ALGORITHM`
Reads `results/check/sweep/ALGORITHM.json`.
Writes `results/sweep/ALGORITHM/best.yaml`, the complete configuration that training
uses, and `results/sweep/ALGORITHM/trials`.
"""

from pipeline.study.command import command, described, study_name
from pipeline.study.sweep.run import run_sweep


def main() -> None:
    """Run the sweep that the command line names."""
    with command("sweep"):
        run_sweep(described("sweep"), study_name())


if __name__ == "__main__":
    main()
