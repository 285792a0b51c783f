"""Search for an algorithm's temperature and learning rates.

Command: `python -m stages.sweep ALGORITHM`
Reads `params.yaml`.
Writes `results/sweep/ALGORITHM/best.yaml`, the complete configuration that training
uses, and `results/sweep/ALGORITHM/trials`.
"""

from pipeline.study.command import chosen_run, command
from pipeline.study.sweep.run import run_sweep


def main() -> None:
    """Run the sweep that the command line names."""
    with command() as study:
        run_sweep(study, chosen_run("sweep", study.sweep.runs))


if __name__ == "__main__":
    main()
