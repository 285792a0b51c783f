"""Solve a task: its soft-optimal value and policy, computed and not learned.

Command: `python -m stages.exact ORACLE`
Reads `params.yaml`.
Writes `results/exact/oracles/ORACLE`.
"""

from pipeline.study.command import chosen_run, command
from pipeline.study.answers.oracles import refused, write_oracle
from pipeline.study.store.layout import ORACLES


def main() -> None:
    """Solve the task of the oracle that the command line names."""
    with command() as study:
        name = chosen_run("exact", study.exact.oracles)
        with refused(f"exact.oracles.{name}"):
            write_oracle(study, name, ORACLES / name)


if __name__ == "__main__":
    main()
