"""What a training stage does besides training (P8).

`explore@sql_10` of `params.yaml` is computed as `python -m stages.explore` does it, in
a folder of its own: workers, checkpoints, live curves in a new MLflow store, progress,
files. Every worker has a clock that stops for whatever is called within, so that its
parts add up; the process that hands out the work is charged its processor time.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.clock import Clock
from benchmarks.speed.contest import Effort, apart
from benchmarks.speed.rows import Row, groups, markdown, spread
from pipeline.core.job import Job, Result
from pipeline.study.backends import worker
from pipeline.study.params.descriptions import descriptions
from pipeline.study.params.load import load_study
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_json, write_json, write_yaml
from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.store.layout import best_file
from pipeline.study.training import run

STAGE, RUN = "explore", "sql_10"
PARAMS = Path(__file__).parents[2] / "params.yaml"
CLOCKS = Path("clocks")
"""Where workers leave what their clocks say, in the folder of the stage."""
REPEATS = 3

TRAINING = "steps and updates"
JUDGING = "episodes that judge the policies"
RECORDS = "records"
REPORTS = "reports to the stage"
CHECKPOINTS = "checkpoints"
STAGE_PROCESS = "tracking, progress, files (processor time of the stage)"
BOOKKEEPING = (RECORDS, REPORTS, CHECKPOINTS, STAGE_PROCESS)
PARTS = (TRAINING, JUDGING, *BOOKKEEPING)


def train(job: Job, desk: worker.Desk) -> Result:
    """As a worker of the stage does, with a clock."""
    from pipeline.core.judging import evaluation
    from pipeline.core.training import checkpoint, loop

    clock = Clock()
    watched = (
        (JUDGING, evaluation.Evaluator, "__call__"),
        (RECORDS, loop.Training, "_record"),
        (REPORTS, worker.Desk, "tell"),
        (CHECKPOINTS, checkpoint, "save"),
    )
    with clock.watching(watched), clock.running(TRAINING):
        result = worker.train_and_probe(job, desk)
    write_json(CLOCKS / f"{desk.checkpoint.stem}.json", clock.seconds)
    return result


def description(study: Study) -> dict[str, Any]:
    """What the study says to the run."""
    return dict(descriptions(study))[STAGE, RUN]


def stage(folder: str, study: Study, said: Mapping[str, Any]) -> dict[str, float]:
    """Compute the stage in a folder.

    Args:
        folder: An empty one.
        study: That the run belongs to.
        said: As `description`, or less to do.

    Returns:
        Seconds of each part, all workers together, and `wall`: from start to end.
    """
    os.chdir(folder)
    os.environ["MAXENT_PROGRESS"] = "off"
    write_fingerprints([STAGE])
    algorithm = said["algorithm_name"]
    write_yaml(best_file(algorithm), study.algorithms[algorithm])
    begin, processor = time.perf_counter(), time.process_time()
    run.train_run(said, study.study.name, work=train)
    spent = {
        "wall": time.perf_counter() - begin,
        STAGE_PROCESS: time.process_time() - processor,
    }
    for file in sorted(CLOCKS.iterdir()):
        for part, seconds in read_json(file).items():
            spent[part] = spent.get(part, 0.0) + seconds
    return spent


def measured(study: Study, said: Mapping[str, Any]) -> Mapping[str, float]:
    """Seconds of each part, of a stage in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return apart(stage, folder, study, said)


def measure(effort: Effort) -> Iterator[list[Row]]:
    """A row for every part of every repetition."""
    study = load_study(PARAMS)
    for repeat in range(min(effort.repeats, REPEATS)):
        yield [
            {"part": part, "repeat": repeat, "seconds": seconds}
            for part, seconds in measured(study, description(study)).items()
        ]


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """A row for every part, and what of it is bookkeeping."""
    seconds = {
        part: [float(row["seconds"]) for row in own]
        for (part,), own in groups(rows, "part").items()
    }

    def total(parts: Sequence[str]) -> list[float]:
        return [sum(each) for each in zip(*(seconds[p] for p in parts), strict=True)]

    def share(*parts: str) -> str:
        pairs = zip(total(parts), total(PARTS), strict=True)
        return spread([100 * part / whole for part, whole in pairs])

    yield from markdown(
        ["part", "seconds of a core", "share, %"],
        [
            *([part, spread(seconds[part]), share(part)] for part in PARTS),
            [
                "bookkeeping: the last four",
                spread(total(BOOKKEEPING)),
                share(*BOOKKEEPING),
            ],
        ],
    )
    wall = median(seconds["wall"])
    yield f"\nThe stage took {wall:.0f} s, the start of its workers included."
