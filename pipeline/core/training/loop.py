"""Training one population on one task, yielding what is worth knowing as it goes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from pipeline.core.agents import factory
from pipeline.core.config.values import parsed
from pipeline.core.job import Array, Failure, Job, Record
from pipeline.core.judging.evaluation import Evaluator, summary
from pipeline.core.learning.factory import collector_for
from pipeline.core.learning.replay_collector import ReplayCollector
from pipeline.core.memory.replay import Spill
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.episodes import Episodes, member_seeds
from pipeline.core.training import weights

RECORD_EVERY = 100
"""Environment steps between two records."""
VISITED_STATES = 2048
"""States of each member that are kept of what it replayed."""


@dataclass
class _Progress:
    """Counters, and returns of the episodes since the last record."""

    step: int = 0
    updates: int = 0
    returns: list[list[float]] = field(default_factory=list)
    lengths: list[list[float]] = field(default_factory=list)


class Training:
    """Iterate to train. Between two records the state can be saved and restored.

    A member that fails stops, and the others go on as if nothing had happened: what is
    measured of it from then on is NaN.
    """

    def __init__(self, job: Job, spill: Spill | None = None) -> None:
        """Make environments, learners and what they learn from.

        `spill` says where replays go that are too large for memory.

        Raises:
            weights.WrongStartError: The pretrained weights do not fit.
            OSError: There is no room for a replay.
        """
        self.job = job
        members = len(job.seeds)
        self._episodes = Episodes(
            job.task, members, member_seeds(job.seeds, "environment")
        )
        self.states = self._episodes.states
        self.actions = self._episodes.actions
        widths = {"states": self.states, "actions": self.actions}
        self._updates = job.algorithms[0].updates(job.steps)
        self.agent = factory.make(
            job.algorithms,
            job.seeds,
            discount=job.task.discount,
            computation=job.computation.settled(self._updates),
            **widths,
        )
        self._device = self.agent.device
        if job.start is not None:
            weights.start_from(job.start, self.agent)
        self._collector = collector_for(
            self.agent,
            job.algorithms[0],
            job.seeds,
            steps=job.steps,
            pretrained=job.start is not None,
            spill=spill,
            **widths,
        )
        self._evaluator = Evaluator(
            job.task, job.seeds, episodes=job.task.evaluation.episodes
        )
        self._returns = torch.zeros(members, dtype=torch.float64)
        self._least: dict[str, Tensor] = {}
        self._progress = _Progress()
        self._forget_episodes()
        self._episodes.reset()
        self.records: list[Record] = []
        self.failures: dict[int, Failure] = {}
        self._told: set[int] = set()

    def __iter__(self) -> Iterator[Record]:
        """Go on from where the state is, to the last step.

        The first record is of step 0: what the policies do before they learn.
        """
        every = self.job.task.evaluation.every
        if not self.records:
            yield self._record(evaluate=True)
        while self._progress.step < self.job.steps:
            step = self._progress.step
            due = min(
                self.job.steps, *(n + step - step % n for n in (RECORD_EVERY, every))
            )
            with self._episodes.watched:
                self._advance_to(due)
            step = self._progress.step
            last = step == self.job.steps
            yield self._record(evaluate=step % every == 0 or last)

    def _advance_to(self, due: int) -> None:
        """Go on to a step; to the last one, if there is nobody left to learn."""
        progress = self._progress
        while progress.step < due:
            if len(self.failures) < len(self.job.seeds):
                self._advance()
            else:
                progress.step = self.job.steps

    def _advance(self) -> None:
        """One environment step of every member, and the updates that follow it."""
        episodes, progress = self._episodes, self._progress
        state, step = episodes.observation.to(self._device), progress.step
        starting = episodes.starting.to(self._device)
        action = self._collector.act(state, step=step, starting=starting)
        made = episodes.step(action.cpu())
        if episodes.failures:
            self.note(episodes.failures)
        progress.updates += self._collector.learn(
            state, action, made, step=step, updates=progress.updates
        )
        self._returns += torch.from_numpy(made.reward)
        self._approach()
        ended = made.terminated | made.truncated
        if ended.any():
            self._end_episodes(ended)
        progress.step += 1

    def _approach(self) -> None:
        """Remember how far there was left to go at the least, since the first step."""
        positions = self._episodes.positions
        if positions is not None:
            for name, left in self.job.task.remaining(positions).items():
                here = torch.from_numpy(left)
                self._least[name] = torch.fmin(self._least.get(name, here), here)

    def _end_episodes(self, ended: ndarray) -> None:
        lengths = self._episodes.lengths
        for member in np.flatnonzero(ended):
            self._progress.returns[member].append(float(self._returns[member]))
            self._progress.lengths[member].append(float(lengths[member]))
        self._returns[torch.from_numpy(ended)] = 0.0
        self._episodes.next(ended)

    def _forget_episodes(self) -> None:
        self._progress.returns = [[] for _ in self.job.seeds]
        self._progress.lengths = [[] for _ in self.job.seeds]

    def note(self, reasons: Mapping[int, str], where: str = "") -> None:
        """Stop members that have failed, unless they have been stopped before."""
        for member in reasons.keys() - self.failures.keys():
            reason = f"{where}{reasons[member]}"
            self.failures[member] = Failure(self._progress.step, reason)
            for environments in (self._episodes, self._evaluator):
                environments.fail(member, reason)

    def _record(self, *, evaluate: bool) -> Record:
        progress = self._progress
        metrics = {
            "train/return": [_mean(values) for values in progress.returns],
            "train/episode_length": [_mean(values) for values in progress.lengths],
        }
        self._forget_episodes()
        for name, least in self._least.items():
            metrics[f"train/{name}"] = least.tolist()
        for name, values in self.agent.diagnostics().items():
            metrics[f"train/{name}"] = values.tolist()
        if evaluate:
            trajectories = self._evaluator(self.agent, block=progress.step)
            judged = summary(self.job.task, trajectories)
            metrics |= {f"evaluation/{name}": v for name, v in judged.items()}
            self.note(self._evaluator.failures, "in an evaluation, ")
        fresh = {m: why for m, why in self.failures.items() if m not in self._told}
        self._told |= fresh.keys()
        record = Record(progress.step, self.without_failed(metrics), fresh)
        self.records.append(record)
        return record

    def without_failed(self, metrics: dict[str, list[float]]) -> dict[str, list[float]]:
        """The same with NaN for every member that has failed."""
        return {
            name: [math.nan if m in self.failures else v for m, v in enumerate(values)]
            for name, values in metrics.items()
        }

    def visited(self) -> Array | None:
        """`[member, state, width]` drawn from what is replayed; None: nothing is."""
        if not isinstance(self._collector, ReplayCollector):
            return None
        drawn = [
            stream(seed, "visited states").random(VISITED_STATES)
            for seed in self.job.seeds
        ]
        uniform = torch.from_numpy(np.stack(drawn)).to(self.agent.device)
        return self._collector.visited(uniform).cpu().numpy().astype(np.float32)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest of the training depends on, and the records."""
        parts = {
            "agent": self.agent.state(),
            "experience": self._collector.state(),
            "episodes": self._episodes.state(),
            "returns": {"running": self._returns},
            "least": self._least,
        }
        tensors = {
            f"{part}/{name}": tensor
            for part, named in parts.items()
            for name, tensor in named.items()
        }
        progress = asdict(self._progress)
        return tensors, {
            "progress": progress,
            "records": [asdict(record) for record in self.records],
        }

    def load_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Continue from what `state` returned, to the bit."""
        parts: dict[str, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = tensor
        self.agent.load_state(parts["agent"])
        self._collector.load_state(parts["experience"])
        self._progress = _Progress(**values["progress"])
        if made := self._progress.updates:
            self.agent.follow_schedules((made - 1) / self._updates)
        self.records = parsed(list[Record], values["records"])
        for record in self.records:
            self.failures |= record.failures
        self._told = {*self.failures}
        for member, failure in self.failures.items():
            self._evaluator.fail(member, failure.reason)
            self._episodes.fail(member, failure.reason)
        self._episodes.load_state(parts["episodes"])
        self._returns.copy_(parts["returns"]["running"])
        self._least = {name: x.clone() for name, x in parts.get("least", {}).items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
