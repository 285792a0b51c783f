"""Learn one way of doing a task, from pretrained networks.

Command: `python -m stages.finetune RUN`
Reads `results/check/finetune/RUN.json`, `results/sweep/ALGORITHM/best.yaml`,
`results/runs/pretrain/START`.
Writes `results/runs/finetune/RUN`.
"""

from pipeline.study.training import run


def main() -> None:
    """Train the run that the command line names."""
    run.main("finetune")


if __name__ == "__main__":
    main()
