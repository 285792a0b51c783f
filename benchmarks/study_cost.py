"""What a study would cost: core-hours of its trainings, from rates measured here.

    python -m benchmarks.study_cost quadruped

Trains each algorithm of `studies/NAME.yaml` a little, on the task of its first run,
with as many members side by side as the study has, and counts the processor's time of a
step with its updates. Compiling, judging and searches come on top. Prints Markdown.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from benchmarks.machine import machine
from pipeline.core.config.learner import OffPolicy
from pipeline.core.job import Job, chunks
from pipeline.core.training.loop import RECORD_EVERY, Training
from pipeline.study.errors import user_errors
from pipeline.study.params.load import load_study
from pipeline.study.params.study import RunSettings, Study
from pipeline.study.workspace import STUDIES

WARMUP: Final = 2 * RECORD_EVERY
"""Steps before the first update of what is measured."""
MEASURED: Final = 10 * RECORD_EVERY
"""Steps after another `WARMUP`, in which programs are compiled."""
HOUR: Final = 3600


@dataclass(frozen=True)
class Cost:
    """Of all runs of an algorithm."""

    algorithm: str
    runs: int
    steps: int
    """Environment steps of all their seeds."""
    seconds: float
    """Of a processor, for one of them."""

    @property
    def core_hours(self) -> float:
        """Of all of them."""
        return self.steps * self.seconds / HOUR


def costs(study: Study) -> Iterator[Cost]:
    """The cost of each algorithm that is trained."""
    runs = [(stage, run) for stage, _, run in study.all_runs()]
    for name in dict.fromkeys(run.algorithm for _, run in runs):
        own = [(stage, run) for stage, run in runs if run.algorithm == name]
        steps = sum(study.steps(*each) * len(study.seeds(each[1])) for each in own)
        yield Cost(name, len(own), steps, seconds_of_a_step(study, own[0][1]))


def seconds_of_a_step(study: Study, run: RunSettings) -> float:
    """The processor's, of one member of a run, with the updates that follow a step."""
    algorithm, task = study.algorithms[run.algorithm], study.tasks[run.task]
    assert isinstance(algorithm, OffPolicy), "others make no update at every step"
    execution, seeds = study.execution_of(run), study.seeds(run)
    torch.set_num_threads(execution.threads)
    together = chunks(len(seeds), execution.members_per_process)[0]
    members = len(seeds[together])
    once = {"every": sys.maxsize, "episodes": 1, "final_episodes": 1}
    job = Job(
        task.model_copy(update={"evaluation": task.evaluation.model_copy(update=once)}),
        (algorithm.model_copy(update={"warmup": WARMUP}),) * members,
        seeds[together],
        2 * WARMUP + MEASURED + 1,
        computation=execution.computation.model_copy(update={"compile": "updates"}),
    )
    start = 0.0
    for record in Training(job):
        if record.step == 2 * WARMUP:
            start = time.process_time()
        if record.step == 2 * WARMUP + MEASURED:
            break
    return (time.process_time() - start) / MEASURED / members


def table(found: list[Cost]) -> str:
    """The costs as Markdown."""
    lines = [
        "| algorithm | runs | steps of all seeds | ms of a core each | core-hours |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.algorithm} | {one.runs} | {one.steps / 1e6:g} million "
        f"| {1000 * one.seconds:.2g} | {one.core_hours:.3g} |"
        for one in found
    ]
    total = sum(one.core_hours for one in found)
    return "\n".join([*lines, f"| all | | | | {total:.3g} |"])


def main() -> None:
    """Measure, and print what the study named on the command line would cost."""
    with user_errors():
        study = load_study(STUDIES / Path(sys.argv[1]).with_suffix(".yaml"))
    print(table(list(costs(study))))
    print(f"\nMeasured on: {machine('torch', 'gymnasium', 'mujoco')}")


if __name__ == "__main__":
    main()
