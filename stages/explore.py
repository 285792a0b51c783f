"""Train on a task that can be done in many equally good ways.

Command: `python -m stages.explore RUN`
Reads `results/check/explore/RUN.json` and `results/sweep/ALGORITHM/best.yaml`.
Writes `results/runs/explore/RUN`, with what the policies do at the probe states.
"""

from pipeline.study.backends.worker import train_and_probe
from pipeline.study.training import run


def main() -> None:
    """Train the run that the command line names."""
    run.main("explore", work=train_and_probe)


if __name__ == "__main__":
    main()
