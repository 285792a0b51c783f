"""The search for one algorithm's settings, as its description has it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Execution
from pipeline.core.config.values import parsed, shared, with_values
from pipeline.core.job import chunks, trials_together
from pipeline.core.tasks.settings import Task
from pipeline.study.params.ranges import Range
from pipeline.study.params.space import Params, Space, settings
from pipeline.study.params.sweep import Pruning, Sampler
from pipeline.study.store import layout
from pipeline.study.store.files import run_key
from pipeline.study.sweep.pruning import floors
from pipeline.study.sweep.samplers import propose
from pipeline.study.sweep.trials import Trial
from pipeline.study.sweep.work import TrialJob

GROWS = ("trials", "fresh_seeds")
"""What may change and the trials that there are stay as they are."""


@dataclass(frozen=True)
class Asked:
    """What a trial tries, and what it must reach not to be pruned, by step."""

    params: Params
    floors: Mapping[int, float]


@dataclass(frozen=True)
class SweepPlan:
    """The search for one algorithm's settings: nothing else decides what is tried."""

    said: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the algorithm."""
        return str(self.said["run"])

    @cached_property
    def algorithm(self) -> Algorithm:
        """With the settings that were written by hand."""
        algorithm: Algorithm = parsed(Algorithm, self.said["algorithm"])
        return algorithm

    @cached_property
    def task(self) -> Task:
        """What its trials are trained on."""
        task: Task = parsed(Task, self.said["task"])
        return task

    @cached_property
    def space(self) -> Space:
        """What is searched."""
        space: Space = parsed(dict[str, Range], self.said["space"])
        return space

    @cached_property
    def execution(self) -> Execution:
        """How it is computed."""
        execution: Execution = parsed(Execution, self.said["execution"])
        return execution

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of every trial."""
        return tuple(self.said["seeds"])

    @property
    def together(self) -> int:
        """How many trials share a job."""
        return trials_together(len(self.seeds), self.execution.members_per_process)

    def described(self) -> dict[str, Any]:
        """What `run.json` says of it, besides its key and what it found."""
        return {name: self.said[name] for name in self.said if name != "execution"}

    @property
    def key(self) -> str:
        """Names the sweep by everything that its tables depend on."""
        return run_key("sweep", self.name, self.said, [layout.code_file("sweep")])

    @property
    def trials_key(self) -> str:
        """Names it by what each trial depends on: more trials can follow fewer."""
        said = {name: self.said[name] for name in self.said if name not in GROWS}
        return run_key("sweep", self.name, said, [layout.code_file("sweep")])

    def known(self, number: int) -> int:
        """How many trials must be over before one of that number is begun."""
        last = number - number % self.together + self.together - 1
        return max(0, last - int(self.said["lag"]))

    def asked(
        self, number: int, over: Mapping[int, Trial], before: Sequence[Asked]
    ) -> Asked:
        """What a trial tries. `over` has all that it depends on; `before` all before.

        It depends on the trials before the last `lag` ones, and on nothing else.
        """
        first = max(0, number - int(self.said["lag"]))
        known = [over[trial] for trial in range(first)]
        params = propose(
            self.space,
            parsed(Sampler, self.said["sampler"]),
            seed=self.said["sampler_seed"],
            number=number,
            known=known,
            unknown=[asked.params for asked in before[first:]],
        )
        pruning = parsed(Pruning, self.said["pruning"])
        return Asked(params, floors(known, pruning, steps=self.said["steps"]))

    def configured(self, params: Params) -> Algorithm:
        """The algorithm with settings of the space in it."""
        algorithm: Algorithm = with_values(self.algorithm, settings(self.space, params))
        return algorithm

    def jobs(self, tried: Mapping[int, Asked]) -> dict[tuple[int, ...], TrialJob]:
        """Trials by number, those together whose networks and batches are of one size.

        They share a job by their order and their settings alone.
        """
        configured = {n: self.configured(asked.params) for n, asked in tried.items()}

        def structure(number: int) -> str:
            return json.dumps(shared(configured[number]), sort_keys=True)

        return {
            tuple(numbers): TrialJob(
                task=self.task,
                algorithms=tuple(configured[n] for n in numbers for _ in self.seeds),
                seeds=self.seeds * len(numbers),
                steps=self.said["steps"],
                computation=self.execution.computation,
                statistic=self.said["statistic"],
                floors=tuple(tried[n].floors for n in numbers),
            )
            for _, group in groupby(sorted(tried, key=structure), key=structure)
            for numbers in [sorted(group)]
        }

    def fresh_jobs(self, best: Params) -> list[TrialJob]:
        """The best trial's setting on fresh seeds, each a trial by itself."""
        algorithm, seeds = self.configured(best), tuple(self.said["fresh_seeds"])
        return [
            TrialJob(
                task=self.task,
                algorithms=(algorithm,) * len(seeds[part]),
                seeds=seeds[part],
                steps=self.said["steps"],
                computation=self.execution.computation,
                statistic=self.said["statistic"],
                floors=({},) * len(seeds[part]),
            )
            for part in chunks(len(seeds), self.execution.members_per_process)
        ]
