"""Stand-ins for tests in which training, or MLflow, is not the point."""

import json
import math
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeAlias

import numpy as np

from pipeline.core.agents.settings import Algorithm
from pipeline.core.job import Job, Record, Result
from pipeline.study.backends.worker import Desk, HangUpError, Limits, Report, Work
from pipeline.study.machine.threads import VARIABLES
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_yaml
from pipeline.study.sweep.work import TrialJob
from tests.core import configs

Score: TypeAlias = Callable[[int, int], float]
"""Of a seed after so many steps."""


def job(seeds: tuple[int, ...], steps: int = 5) -> Job:
    sac = configs.algorithm("sac")
    return Job(configs.task("pendulum"), (sac,) * len(seeds), seeds, steps)


def study(**changes: Any) -> Study:
    """The small study, on tasks that the stand-ins can do, with some parts changed."""
    data = read_yaml(Path(__file__).with_name("small.yaml"))
    data["execution"]["members_per_process"] = 2
    for task in data["tasks"].values():
        task["objective"] = "return"
    for stage in ("explore", "pretrain", "finetune", "scratch"):
        data[stage]["steps"] = 5
    for budget in data["sweep"]["budgets"].values():
        budget["steps"] = 5
    for place, value in changes.items():
        *path, last = place.split("__")
        part = data
        for name in path:
            part = part[name]
        part[last] = value
    return Study.model_validate_json(json.dumps(data))


class Live:
    """A live run that remembers what it was told."""

    runs: list["Live"]

    def __init__(self, described: dict[str, Any]) -> None:
        self.described = described
        self.points: dict[tuple[str, str, int], float] = {}
        self.status = "RUNNING"
        self.children: dict[str, Any] = {}
        self.over: dict[str, Any] = {}
        self.said: dict[str, Any] = {}

    @classmethod
    def open(cls, **described: Any) -> Self:
        live = cls(described)
        cls.runs.append(live)
        return live

    def log(self, name: str, step: int, metrics: dict[str, float]) -> None:
        for metric, value in metrics.items():
            assert (name, metric, step) not in self.points, "told twice"
            self.points[name, metric, step] = value

    def child(self, name: str, title: str, params: dict[str, Any]) -> None:
        self.children[name] = (title, params)

    def describe(self, name: str, params: dict[str, Any]) -> None:
        self.said[name] = params

    def ended(self, name: str, status: str, params: dict[str, Any]) -> None:
        self.over[name] = (status, params)

    def close(self, status: str) -> None:
        self.status = status


def count(job: Job, desk: Desk) -> Result:
    """A learner whose score is a pure function of seed and step."""
    return _counted(job, desk, [_score] * len(job.seeds))


def _counted(job: Job, desk: Desk, scores: Sequence[Score]) -> Result:
    """Learners whose scores are functions of seed and step, one for each member."""
    done = json.loads(desk.checkpoint.read_text()) if desk.checkpoint.exists() else 0
    both = [*zip(scores, job.seeds, strict=True)]
    records = [
        _record(step, [score(seed, step) for score, seed in both])
        for step in range(1, job.steps + 1)
    ]
    try:
        for record in records:
            desk.tell(record, replayed=record.step <= done)
            if record.step > done:
                _misfortune(desk.checkpoint.parent.parent, record.step)
                _save(desk, record.step)
    except HangUpError:
        _save(desk, record.step)
        raise
    members = len(job.seeds)
    return Result(
        records=records,
        final={"return": [score(seed, job.steps) for score, seed in both]},
        weights={"w": np.array(job.seeds, np.float32).reshape(members, 1)},
        behaviour={},
        states=3,
        actions=1,
    )


def fail(job: Job, desk: Desk) -> Result:
    raise ZeroDivisionError("no such number")


def count_threads(job: Job, desk: Desk) -> Result:
    """What the libraries of a worker are told, and what torch makes of it."""
    import torch

    told = {name: [float(os.environ[name])] for name in VARIABLES}
    result = count(job, desk)
    return replace(result, final={"torch": [float(torch.get_num_threads())]} | told)


def judge(job: TrialJob, desk: Desk) -> Result:
    """Learners that do best at α = e, and whose last number is none above 20."""
    result = _counted(job, desk, [partial(_judged, one) for one in job.algorithms])
    hot = [_alpha(one) > 20 for one in job.algorithms]
    final = np.where(hot, np.nan, result.final["return"])
    return replace(result, final={"return": final.tolist()})


def judged(job: Job, work: Work = judge) -> Result:
    """What comes out of a job at once, without a worker."""
    limits = Limits(checkpoint_seconds=1e9, threads=1, replay_bytes=0)
    with TemporaryDirectory() as folder:
        path = Path(folder, "checkpoints", "job")
        return work(job, Desk(path, limits, lambda report: None))


def slowly(work: Work, job: Job, desk: Desk) -> Result:
    """The same work by somebody who waits before each report."""

    def send(report: Report) -> None:
        time.sleep(0.1)
        desk.send(report)

    return work(job, replace(desk, send=send))


def _judged(algorithm: Algorithm, seed: int, step: int) -> float:
    return seed / 1000 + step / 10 - (math.log(_alpha(algorithm)) - 1) ** 2


def _alpha(algorithm: Algorithm) -> float:
    alpha = algorithm.fixed_temperature
    assert alpha is not None
    return alpha


def _score(seed: int, step: int) -> float:
    return float(np.sin(seed + 1) * step)


def _record(step: int, scores: list[float]) -> Record:
    return Record(step, {"evaluation/return": scores, "train/q_loss": scores})


def _save(desk: Desk, step: int) -> None:
    desk.keep(desk.checkpoint, str(step).encode())


def _misfortune(folder: Path, step: int) -> None:
    """Do what a test has written beside the checkpoints: be slow, be killed."""
    pace, deaths = folder / "pace", folder / "deaths"
    if pace.exists():
        time.sleep(float(pace.read_text()))
    if deaths.exists() and step == 3 and _is_next_to_die(deaths):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_next_to_die(deaths: Path) -> bool:
    """Whether there was a death left: workers that run at the same time share them."""
    for number in range(int(deaths.read_text())):
        try:
            deaths.with_name(f"death {number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return True
    return False
