"""Work that is done at once, for tests in which training is not the point."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np

from pipeline.core.config import Evaluation, Gymnasium, Sac, with_values
from pipeline.core.job import Job, Record, Result
from pipeline.study.worker import Desk, HangUpError


def task() -> Gymnasium:
    return Gymnasium(
        kind="gymnasium",
        id="Pendulum-v1",
        discount=0.99,
        objective="return",
        evaluation=Evaluation(every=1, episodes=1, final_episodes=1, policy="sample"),
    )


def sac() -> Sac:
    return Sac.model_validate(
        {
            "kind": "sac",
            "temperature": {"fixed": 1.0},
            "value": "critics",
            "learning_rate": {"q": 1e-3, "policy": 1e-3},
            "hidden": [8],
            "batch": 4,
            "replay": 100,
            "warmup": 5,
            "updates_per_step": 1,
            "target": {"tau": 0.005},
        },
        strict=False,
    )


def job(seeds: tuple[int, ...] = (0, 1), steps: int = 5) -> Job:
    return Job(
        task=task(),
        algorithms=tuple(with_values(sac(), {}) for _ in seeds),
        seeds=seeds,
        steps=steps,
        start=None,
    )


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


def _score(seed: int, step: int) -> float:
    return float(np.sin(seed + 1) * step)


def _record(job: Job, step: int) -> Record:
    scores = [_score(seed, step) for seed in job.seeds]
    return Record(step, {"evaluation/return": scores, "train/q_loss": scores})


def _save(path: Path, step: int) -> None:
    path.write_text(str(step))


def _misfortune(folder: Path, step: int) -> None:
    """Do what a test has written beside the checkpoints: be slow, be killed."""
    pace, deaths = folder / "pace", folder / "deaths"
    if pace.exists():
        time.sleep(float(pace.read_text()))
    if deaths.exists() and (left := int(deaths.read_text())) and step == 3:
        deaths.write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
