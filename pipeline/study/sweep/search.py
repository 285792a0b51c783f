"""A sweep as a function of its description.

What a trial tries depends on the results of all trials before it but the last few, in
the order of their numbers, on the sweep's seed and on its own number. So it does not
matter how many workers train, or which trial is over first, and nobody waits for a
batch to end. Trials that are over are files, and the truth; whoever starts again, or
wants more trials, begins with them.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.config.values import parsed
from pipeline.core.job import Record
from pipeline.study.backends.backend import Backend, OnRecord
from pipeline.study.params.space import Params
from pipeline.study.store.files import read_json, write_json
from pipeline.study.sweep.plan import Asked, SweepPlan
from pipeline.study.sweep.trials import Trial
from pipeline.study.sweep.work import Outcome, TrialJob, outcome


@dataclass
class Search:
    """The trials of a sweep, as far as they are."""

    plan: SweepPlan
    files: "FinishedTrials"
    asked: list[Asked] = field(default_factory=list)
    over: dict[int, Trial] = field(default_factory=dict)
    jobs: dict[str, TrialJob] = field(default_factory=dict)
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Trials of each job."""

    def compute(self, backend: Backend, on_record: OnRecord) -> Iterator[Trial]:
        """Yields every trial when it is over, whether it was computed or found."""
        yield from self._ask()
        running = backend.run(self.jobs, folder=self.files.folder, on_record=on_record)
        for name, result in running:
            for place, number in enumerate(self.numbers[name]):
                ended = outcome(self.jobs[name], place, result)
                self.files.save(f"trial_{number}", self.asked[number].params, ended)
                yield self._end(number, ended)
            self.files.checkpoint(name).unlink(missing_ok=True)
            yield from self._ask()

    def _ask(self) -> Iterator[Trial]:
        """Ask for trials as long as what they depend on is known."""
        plan = self.plan
        while (first := len(self.asked)) < plan.said["trials"]:
            if not all(number in self.over for number in range(plan.known(first))):
                return
            numbers = range(first, first + plan.together)
            for number in numbers:
                self.asked.append(plan.asked(number, self.over, self.asked))
            tried = {number: self.asked[number] for number in numbers}
            for together, job in plan.jobs(tried).items():
                yield from self._begin(together, job)

    def _begin(self, numbers: tuple[int, ...], job: TrialJob) -> Iterator[Trial]:
        """Take the trials of a job from files, or let it wait for a worker."""
        found = {
            n: self.files.load(f"trial_{n}", self.asked[n].params) for n in numbers
        }
        known = {n: ended for n, ended in found.items() if ended is not None}
        if len(known) == len(numbers):
            for number, ended in known.items():
                yield self._end(number, ended)
            return
        name = f"trial_{numbers[0]}"
        self.numbers[name], self.jobs[name] = numbers, job

    def _end(self, number: int, ended: Outcome) -> Trial:
        params, statistic = self.asked[number].params, self.plan.said["statistic"]
        self.over[number] = Trial.of(number, params, ended, statistic)
        return self.over[number]


def on_fresh_seeds(
    plan: SweepPlan,
    best: Trial,
    files: "FinishedTrials",
    backend: Backend,
    on_record: Callable[[TrialJob, Record, bool], None],
) -> dict[int, float | None]:
    """What the best trial's setting is worth on fresh seeds, by seed; None: it failed.

    The seeds had no part in its being chosen, so this is not too high by chance.
    """
    found = {
        seed: files.load(f"fresh_{seed}", best.params)
        for seed in plan.said["fresh_seeds"]
    }
    jobs = {
        f"fresh_{job.seeds[0]}": job
        for job in plan.fresh_jobs(best.params)
        if any(found[seed] is None for seed in job.seeds)
    }

    def told(name: str, record: Record, replayed: bool) -> None:
        on_record(jobs[name], record, replayed)

    for name, result in backend.run(jobs, folder=files.folder, on_record=told):
        for place, seed in enumerate(jobs[name].seeds):
            found[seed] = ended = outcome(jobs[name], place, result)
            files.save(f"fresh_{seed}", best.params, ended)
        files.checkpoint(name).unlink(missing_ok=True)
    return {
        seed: ended.values[0] if ended and ended.state == "COMPLETE" else None
        for seed, ended in found.items()
    }


class FinishedTrials:
    """A file for every trial of one sweep, of which nothing damaged is believed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self, job: str) -> Path:
        """Where the backend keeps the state of a job."""
        return self.folder / f"{job}.safetensors"

    def save(self, name: str, params: Params, ended: Outcome) -> None:
        """Keep how a trial went, whole or not at all."""
        kept = json.loads(json.dumps({"params": params, "outcome": asdict(ended)}))
        content = {**kept, "sha256": _digest(kept)}
        write_json(self.folder / f"{name}.json", content, sort=False)

    def load(self, name: str, params: Params) -> Outcome | None:
        """How a trial went; None if there is no such file, or not of these params."""
        try:
            content = read_json(self.folder / f"{name}.json")
            digest = content.pop("sha256")
            if digest != _digest(content) or content["params"] != params:
                return None
            ended: Outcome = parsed(Outcome, content["outcome"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return ended


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
