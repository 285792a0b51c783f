"""Solve a task: its soft-optimal value and policy, computed and not learned.

Command: `python -m stages.exact ORACLE`
Reads `results/check/exact/ORACLE.json`.
Writes `results/exact/oracles/ORACLE`.
"""

from pipeline.study.answers.oracles import write_oracle
from pipeline.study.command import command, described
from pipeline.study.machine.threads import keep_memory
from pipeline.study.store.layout import ORACLES


def main() -> None:
    """Solve the task of the oracle that the command line names."""
    with command("exact"):
        said = described("exact")
        keep_memory()
        write_oracle(said, ORACLES / said["run"])


if __name__ == "__main__":
    main()
