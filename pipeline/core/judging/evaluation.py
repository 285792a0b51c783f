"""How well policies do: episodes apart from training, and what is read off them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from pipeline.core.agents.base import Agent
from pipeline.core.judging.parts import parts
from pipeline.core.population.randomness import integers, stream
from pipeline.core.tasks.episodes import Episodes
from pipeline.core.tasks.kind import Kind
from pipeline.core.tasks.trajectories import Trajectories, joined

APART = 2**40
"""The block of streams for what is evaluated apart from any training, beyond those of
evaluations while training."""
SHOWN_EPISODES = 50
"""Episodes of each member whose positions are kept by whoever evaluates apart."""


@dataclass(frozen=True)
class Judged:
    """How every member did, apart from training."""

    numbers: dict[str, Float[ndarray, " member"]]
    """Metric to one number per member; see `docs/metrics.md`."""
    positions: Float[ndarray, "member episode time 2"]
    """In the first episodes; NaN after the end."""


class Evaluator:
    """A fixed number of episodes for every member, as often as asked."""

    def __init__(
        self, task: Kind, seeds: Sequence[int], *, episodes: int, attempts: int = 1
    ) -> None:
        """Make the environments, with `episodes` of each member in one evaluation.

        `attempts` in a row begin alike; it divides `episodes`. Where a task limits the
        environments there are at once, a part of the episodes follows the other.
        """
        self._task = task
        self._seeds = tuple(seeds)
        self._count = episodes
        self._attempts = attempts
        self._starts: list[list[int]] = []
        parts = 1
        if task.at_once is not None:
            parts = -(-episodes // max(1, task.at_once // len(self._seeds)))
        self._width = -(-episodes // parts)
        """Episodes of each member in one part."""
        self._first = 0
        """The number of the first one in the present part."""
        self._episodes = Episodes(task, len(self._seeds) * self._width, self._seed_of)

    @property
    def failures(self) -> dict[int, str]:
        """What went wrong with a member's environments, of every member that failed."""
        found: dict[int, str] = {}
        for environment, reason in self._episodes.failures.items():
            found.setdefault(environment // self._width, reason)
        return found

    def fail(self, member: int, reason: str) -> None:
        """Leave the environments of a member alone from now on."""
        for column in range(self._width):
            self._episodes.fail(member * self._width + column, reason)

    def _seed_of(self, environment: int, episode: int) -> int:
        member, column = divmod(environment, self._width)
        return self._starts[member][self._first + column]

    @torch.no_grad()
    def __call__(self, agent: Agent, *, block: int) -> Trajectories:
        """Let every member act from the starts, and with the noise, of a `block`.

        Episodes of a member that has failed say nothing.
        """
        parts = [
            self._part(agent, block, after)
            for after in range(0, self._count, self._width)
        ]
        return joined(parts) if len(parts) > 1 else parts[0]

    def _part(self, agent: Agent, block: int, after: int) -> Trajectories:
        """The episodes that follow the first `after` ones of every member.

        The last part begins earlier, to be as large as the others, and what was seen
        before is left out.
        """
        self._first = min(after, self._count - self._width)
        new = slice(after - self._first, None)
        members, count, episodes = len(self._seeds), self._width, self._episodes
        self._begin(block)
        noises = [stream(seed, "evaluation noise", block) for seed in self._seeds]
        alive = np.ones(members * count, dtype=bool)
        returns = np.zeros(members * count)
        lengths = np.zeros(members * count, dtype=np.int64)
        terminated = np.zeros(members * count, dtype=bool)
        positions = []
        if episodes.positions is not None:
            positions.append(episodes.positions)
        with episodes.watched:
            while alive.any():
                step = episodes.step(self._actions(agent, noises, alive))
                returns[alive] += step.reward[alive]
                lengths[alive] += 1
                terminated |= alive & step.terminated
                if episodes.positions is not None:
                    gone = ~alive[:, None]
                    positions.append(np.where(gone, np.nan, episodes.positions))
                ended = step.terminated | step.truncated
                alive &= ~ended
                episodes.next(ended)
        path = None
        if positions:
            path = np.stack(positions, axis=1).reshape(members, count, -1, 2)[:, new]
        shape = (members, count)
        return Trajectories(
            returns.reshape(shape)[:, new],
            lengths.reshape(shape)[:, new],
            terminated.reshape(shape)[:, new],
            path,
        )

    def _begin(self, block: int) -> None:
        """Let every episode start where its block says."""
        starts = self._count // self._attempts
        self._starts = [
            np.repeat(
                integers(seed, "evaluation starts", block, starts), self._attempts
            ).tolist()
            for seed in self._seeds
        ]
        self._episodes.reset()

    def _actions(
        self,
        agent: Agent,
        noises: Sequence[np.random.Generator],
        alive: Bool[ndarray, " environment"],
    ) -> Float[Tensor, "environment action"]:
        """What the policies do next; nothing, where all of a column have ended."""
        members, count, episodes = len(self._seeds), self._width, self._episodes
        goes_on = torch.from_numpy(alive.reshape(members, count).any(axis=0))
        state = episodes.observation.view(members, count, -1)[:, goes_on]
        state = state.to(agent.device)
        if self._task.evaluation.policy == "greedy":
            chosen = agent.greedy(state)
        else:
            shape, own = (self._count, episodes.actions), slice(self._first, None)
            each = [n.standard_normal(shape, dtype=np.float32)[own] for n in noises]
            stacked = torch.from_numpy(np.stack(each))[:, :count][:, goes_on]
            noise = stacked.to(agent.device)
            acted = [agent.sample(*part) for part in parts(state, noise)]
            chosen = torch.cat(acted, dim=1)
        action = torch.zeros(members, count, episodes.actions)
        action[:, goes_on] = chosen.cpu()
        return action.flatten(end_dim=1)


def summary(task: Kind, trajectories: Trajectories) -> dict[str, list[float]]:
    """Every number that a task defines, per member; see `docs/metrics.md`."""
    common = {
        "return": trajectories.returns.mean(axis=1),
        "episode_length": trajectories.lengths.mean(axis=1),
    }
    own = task.metrics(trajectories)
    return {name: values.tolist() for name, values in (common | dict(own)).items()}
