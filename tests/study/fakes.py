"""Stand-ins for tests in which training, or MLflow, is not the point."""

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.core.agents.settings import Ddpg
from pipeline.core.job import Job, Record, Result
from pipeline.study.backends.worker import Desk, HangUpError
from pipeline.study.machine.threads import VARIABLES
from pipeline.study.params.study import Study
from pipeline.study.store.files import atomic_write, read_yaml
from tests.core import configs


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

    @classmethod
    def open(cls, **described: Any) -> Self:
        live = cls(described)
        cls.runs.append(live)
        return live

    def log(self, child: str, step: int, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            assert (child, name, step) not in self.points, "told twice"
            self.points[child, name, step] = value

    def child(self, name: str, title: str, params: dict[str, Any]) -> None:
        self.children[name] = (title, params)

    def ended(self, name: str, status: str, params: dict[str, Any]) -> None:
        self.over[name] = (status, params)

    def close(self, status: str) -> None:
        self.status = status


def count(job: Job, desk: Desk) -> Result:
    """A learner whose score is a pure function of seed and step."""
    done = json.loads(desk.checkpoint.read_text()) if desk.checkpoint.exists() else 0
    records = [_record(job, step) for step in range(1, job.steps + 1)]
    try:
        for record in records:
            desk.tell(record, replayed=record.step <= done)
            if record.step > done:
                _misfortune(desk.checkpoint.parent.parent, record.step)
                _save(desk.checkpoint, record.step)
    except HangUpError:
        _save(desk.checkpoint, record.step)
        raise
    members = len(job.seeds)
    return Result(
        records=records,
        final={"return": [_score(seed, job.steps) for seed in job.seeds]},
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


def judge(job: Job, desk: Desk) -> Result:
    """A learner that does best at α = e, and diverges above 20."""
    result = count(job, desk)
    scores = []
    for algorithm, seed in zip(job.algorithms, job.seeds, strict=True):
        assert not isinstance(algorithm, Ddpg)
        alpha = algorithm.temperature.fixed
        score = seed / 1000 - (np.log(alpha) - 1) ** 2
        scores.append(float("nan") if alpha > 20 else float(score))
    return replace(result, final={"return": scores})


def _score(seed: int, step: int) -> float:
    return float(np.sin(seed + 1) * step)


def _record(job: Job, step: int) -> Record:
    scores = [_score(seed, step) for seed in job.seeds]
    return Record(step, {"evaluation/return": scores, "train/q_loss": scores})


def _save(path: Path, step: int) -> None:
    atomic_write(path, str(step).encode())


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
