"""Learn all the ways of doing a task.

Command: `python -m stages.pretrain RUN`
Reads `results/check/pretrain/RUN.json` and `results/sweep/ALGORITHM/best.yaml`.
Writes `results/runs/pretrain/RUN`.
"""

from pipeline.study.training import run


def main() -> None:
    """Train the run that the command line names."""
    run.main("pretrain")


if __name__ == "__main__":
    main()
