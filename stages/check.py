"""Refuse a bad `params.yaml`, and say to every stage what it says to it.

Command: python -m stages.check
Reads: params.yaml, pipeline, stages, .environments
Writes: results/check, and links in .environments

DVC removes a stage's outputs before it runs the stage. This one comes first, and the
others depend on single files of its output, so that a mistake loses no result, and a
change is computed again by those stages only to which something else is said
(`<stage>/<run>.json`) or whose code has changed (`code/<stage>.txt`).
"""

import sys
from pathlib import Path

from pipeline.core.config.computation import Execution
from pipeline.study.errors import user_errors
from pipeline.study.machine.check import check_machine, try_compiler
from pipeline.study.machine.settings import compiled_graphs, settings
from pipeline.study.params.descriptions import write_descriptions
from pipeline.study.params.load import load_study
from pipeline.study.params.needs import check_room
from pipeline.study.store.fingerprint import link, write_fingerprints
from pipeline.study.store.locks import held
from pipeline.study.training.work_folder import CHECKPOINTS
from pipeline.study.workspace import warn_of_untracked


def main() -> None:
    """Read the whole file and write what it says, or every mistake in it."""
    with user_errors():
        study = load_study()
        settings()
        check_machine(study.execution)
        try_compiler(study.execution)
        check_room(study, CHECKPOINTS)
        check_locks(study.execution)
        for name, task in study.tasks.items():
            for doubt in task.doubts():
                print(f"warning: tasks.{name}: {doubt}", file=sys.stderr)
        write_descriptions(study)
        link(study.own_files)
        warn_of_untracked(study.own_files)
        modules = Path(__file__).parent.glob("*.py")
        write_fingerprints(sorted({each.stem for each in modules} - {"__init__"}))


def check_locks(execution: Execution) -> None:
    """Name a disk without locks before a training or torch's compiler needs one."""
    compiled = [] if execution.compile == "never" else [compiled_graphs()]
    for folder in (CHECKPOINTS, *compiled):
        with held(folder / "check"):
            pass


if __name__ == "__main__":
    main()
