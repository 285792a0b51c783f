"""Learn one way of doing a task, from fresh networks.

Command: `python -m stages.scratch RUN`
Reads `results/check/scratch/RUN.json` and `results/sweep/ALGORITHM/best.yaml`.
Writes `results/runs/scratch/RUN`.
"""

from pipeline.study.training import run


def main() -> None:
    """Train the run that the command line names."""
    run.main("scratch")


if __name__ == "__main__":
    main()
