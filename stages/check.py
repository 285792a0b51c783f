"""Refuse a bad `params.yaml` before any other stage touches what exists.

Command: python -m stages.check
Reads: params.yaml, pipeline/core
Writes: results/check/verdict.txt, results/check/training.txt

DVC removes a stage's outputs before it runs the stage. This one comes first, and its
output never changes, so that a mistake loses nothing and a valid change reruns nothing.
The second file lists the code that training depends on (`pipeline.study.science`).
"""

from typing import Final

from pipeline.study.errors import user_errors
from pipeline.study.store.files import atomic_write
from pipeline.study.store.layout import CHECKED
from pipeline.study.params import load_study
from pipeline.study.science import learning_digests
from pipeline.study.machine.settings import settings
from pipeline.study.machine.check import check_machine

VERDICT: Final = b"params.yaml describes a study\n"


def main() -> None:
    """Read the whole file and say that it is valid, or every mistake in it."""
    with user_errors():
        study = load_study()
        settings()
        check_machine(study.execution)
        atomic_write(CHECKED / "training.txt", learning_digests())
        atomic_write(CHECKED / "verdict.txt", VERDICT)


if __name__ == "__main__":
    main()
