"""What the machinery of a sweep costs beside the training of its trials.

    python -m benchmarks.sweep

Searches SAC on multigoal: 24 trials of three seeds, 2000 steps, batches of 64, as
`stages.sweep` does, with Optuna's storage and MLflow's: by processes of this machine,
and by a Ray cluster of this machine alone. Prints Markdown, writes its rows to
`benchmarks/results/speed_sweep.csv`, and the tables into `docs/benchmarks.md`: what was
measured, and what follows from it for machines with more cores.
"""

import json
import os
import resource
import time
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.speed import __main__ as speed
from benchmarks.speed import rows
from benchmarks.speed.rows import Row, markdown
from benchmarks.stage_clock import busy
from pipeline.core.job import Result
from pipeline.study.backends.worker import Desk
from pipeline.study.machine.cores import available_cores
from pipeline.study.params.descriptions import descriptions
from pipeline.study.params.load import load_study
from pipeline.study.store.fingerprint import ROOT, write_fingerprints
from pipeline.study.sweep import run
from pipeline.study.sweep.watcher import Watcher
from pipeline.study.sweep.work import TrialJob, train_trials

STUDY = Path(__file__).with_suffix(".yaml")
TABLE = "sweep"
CORES = (10, 100, 1000)
LONGER = (1, 10, 100)
"""How many times as long trials are for which limits are computed."""
STARTED = 6
"""Trials after which the driver has imported what it needs."""


@dataclass(frozen=True)
class Timed:
    """The work of a worker, which says when it began and ended each job."""

    file: Path

    def __call__(self, job: TrialJob, desk: Desk) -> Result:
        """Train trials."""
        begun = time.monotonic()
        result = train_trials(job, desk)
        line = json.dumps([os.getpid(), begun, time.monotonic()])
        with self.file.open("a") as file:
            file.write(f"{line}\n")
        return result


def measured(backend: str) -> Row:
    """Compute the sweep in a folder that is removed, and look at the clocks."""
    os.environ |= {"MAXENT_BACKEND": backend, "MAXENT_RAY_ADDRESS": "local"}
    driver: list[float] = []

    def over(self: Watcher, trial: Any) -> None:
        told(self, trial)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        driver.append(spent.ru_utime + spent.ru_stime)

    told, Watcher.over = Watcher.over, over  # type: ignore[method-assign]
    with TemporaryDirectory() as folder, chdir(folder):
        said = dict(descriptions(load_study(STUDY)))["sweep", "sac"]
        write_fingerprints(["sweep"])
        begun, before = time.perf_counter(), busy()
        run.run_sweep(said, "sweep_cost", work=Timed(Path(folder, "jobs")))
        wall, spent = time.perf_counter() - begun, busy() - before
        jobs = [
            tuple(json.loads(line)) for line in Path("jobs").read_text().splitlines()
        ]
    trials = said["trials"]
    gaps, cores = between(jobs), available_cores()
    _, begun_at, ended_at = zip(*jobs, strict=True)
    return {
        "backend": backend,
        "trials": trials,
        "seconds": wall,
        "computing": max(ended_at) - min(begun_at),
        "trial_seconds": sum(ended_at) - sum(begun_at),
        "driver_ms": 1e3 * (driver[-1] - driver[STARTED]) / (trials - 1 - STARTED),
        "gap_ms": 1e3 * median(gaps),
        "longest_gap_ms": 1e3 * max(gaps),
        # Ray's processes are no children of this one
        "idle": 100 * (1 - spent / (cores * wall)) if backend == "local" else "",
    }


def between(jobs: Sequence[tuple[float, float, float]]) -> list[float]:
    """Seconds that workers had nothing to do between two jobs."""
    workers = {pid for pid, *_ in jobs}
    return [
        begun - ended
        for worker in workers
        for (_, _, ended), (_, begun, _) in pairwise(
            sorted(job for job in jobs if job[0] == worker)
        )
    ]


def lines(found: Sequence[Row]) -> list[str]:
    """What was measured, by backend."""
    cells = [
        ("processor time of the process that hands out, ms a trial", "driver_ms", "50"),
        ("a worker between two jobs, ms, median", "gap_ms", ""),
        ("the same, longest", "longest_gap_ms", ""),
        ("idle share of both cores, start and end included, %", "idle", "5"),
        ("seconds from the first job to the end of the last", "computing", ""),
        ("seconds in all", "seconds", ""),
    ]
    table = [
        [
            what,
            *(f"{float(row[name]):.3g}" if name in row else "" for row in found),
            most,
        ]
        for what, name, most in cells
    ]
    names = [str(row["backend"]) for row in found]
    local, ray = (float(row["computing"]) for row in found)
    return [
        *markdown(["what", *names, "at most"], table),
        "",
        f"Ray over local, start apart: {100 * (ray / local - 1):+.1f} %, at most 10.",
    ]


def limits(row: Row) -> list[str]:
    """What one process that hands out can keep busy, if trials cost what they do here.

    It serves one trial after another. Shares above 100 % are cores that wait.
    """
    trial = float(row["trial_seconds"]) / float(row["trials"])
    of_trial = 100 * float(row["driver_ms"]) / 1e3 / trial

    def share(cores: int, times: int) -> str:
        return f"{cores * of_trial / times:,.2f}"

    table = [[f"{cores}", *(share(cores, n) for n in LONGER)] for cores in CORES]
    heads = [f"trials of {trial * times:,.0f} s" for times in LONGER]
    return [*markdown(["cores", *heads], table)]


def main() -> None:
    both = [measured(backend) for backend in ("local", "ray")]
    rows.write(speed.file(TABLE), both)
    where, found = rows.read(speed.file(TABLE))
    content = "\n".join(
        [
            where, "", *lines(found), "",
            "Busy share of the process that hands out, %, by Ray:", "",
            *limits(found[1]),
        ]
    )  # fmt: skip
    print(content)
    document = speed.with_table(speed.DOCUMENT.read_text(), TABLE, content)
    speed.DOCUMENT.write_text(document)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(ROOT)
    from benchmarks import sweep  # workers find `Timed` by this name

    sweep.main()
