"""How well policies do: episodes apart from training, and what is read off them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from pipeline.core.agents import Agent
from pipeline.core.config import Gymnasium, LinearQuadratic, Locomotion, MultiGoal, Task
from pipeline.core.job import Record
from pipeline.core.randomness import integers, stream
from pipeline.core.tasks.episodes import Episodes
from pipeline.core.tasks.multigoal import GOAL_RADIUS, goal_distances

TINY = np.finfo(float).tiny
APART = 2**40
"""The block of streams for what is evaluated apart from any training, beyond those of
evaluations while training."""
SHOWN_EPISODES = 50
"""Episodes of each member whose positions are kept by whoever evaluates apart."""
REACHED_SHARE = 0.05
"""Of the episodes that must end in a goal for the goal to count as reached."""


@dataclass(frozen=True)
class Trajectories:
    """Episodes of every member, from a seeded start to their end or time limit."""

    returns: Float[ndarray, "member episode"]
    """Undiscounted sums of rewards."""
    lengths: Int[ndarray, "member episode"]
    terminated: Bool[ndarray, "member episode"]
    positions: Float[ndarray, "member episode time 2"] | None
    """In a task that has a plane; NaN after the end."""

    @property
    def last_positions(self) -> Float[ndarray, "member episode 2"]:
        """Where each episode ended."""
        assert self.positions is not None
        index = self.lengths[:, :, None, None]
        return np.take_along_axis(self.positions, index, axis=2).squeeze(2)


class Evaluator:
    """A fixed number of episodes for every member, as often as asked."""

    def __init__(
        self, task: Task, seeds: Sequence[int], *, episodes: int, tries: int = 1
    ) -> None:
        """Make the environments.

        Args:
            task: Where the policies are judged.
            seeds: One per member.
            episodes: Episodes of each member in one evaluation.
            tries: How many of them in a row begin alike; divides `episodes`.
        """
        self._task = task
        self._seeds = tuple(seeds)
        self._count = episodes
        self._tries = tries
        self._starts: list[list[int]] = []
        self._episodes = Episodes(task, len(self._seeds) * episodes, self._seed_of)

    def _seed_of(self, environment: int, episode: int) -> int:
        member, column = divmod(environment, self._count)
        return self._starts[member][column]

    @torch.no_grad()
    def __call__(self, agent: Agent, *, block: int) -> Trajectories:
        """Let every member act from the starts that belong to `block`.

        Args:
            agent: The population.
            block: Which evaluation: chooses starts and noise.
        """
        members, count, episodes = len(self._seeds), self._count, self._episodes
        self._begin(block)
        noises = [stream(seed, "evaluation noise", block) for seed in self._seeds]
        alive = np.ones(members * count, dtype=bool)
        returns = np.zeros(members * count)
        lengths = np.zeros(members * count, dtype=np.int64)
        terminated = np.zeros(members * count, dtype=bool)
        positions = []
        if episodes.positions is not None:
            positions.append(episodes.positions)
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
            path = np.stack(positions, axis=1).reshape(members, count, -1, 2)
        shape = (members, count)
        return Trajectories(
            returns.reshape(shape),
            lengths.reshape(shape),
            terminated.reshape(shape),
            path,
        )

    def _begin(self, block: int) -> None:
        """Let every episode start where its block says."""
        starts = self._count // self._tries
        self._starts = [
            np.repeat(
                integers(seed, "evaluation starts", block, starts), self._tries
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
        members, count, episodes = len(self._seeds), self._count, self._episodes
        goes_on = torch.from_numpy(alive.reshape(members, count).any(axis=0))
        state = episodes.observation.view(members, count, -1)[:, goes_on]
        state = state.to(agent.device)
        if self._task.evaluation.policy == "greedy":
            chosen = agent.greedy(state)
        else:
            shape = (count, episodes.actions)
            noise = [n.standard_normal(shape, dtype=np.float32) for n in noises]
            stacked = torch.from_numpy(np.stack(noise))[:, goes_on]
            chosen = agent.sample(state, stacked.to(agent.device))
        action = torch.zeros(members, count, episodes.actions)
        action[:, goes_on] = chosen.cpu()
        return action.flatten(end_dim=1)


def summary(task: Task, trajectories: Trajectories) -> dict[str, list[float]]:
    """Every number that a task defines, per member; see `docs/metrics.md`."""
    common = {
        "return": trajectories.returns.mean(axis=1),
        "episode_length": trajectories.lengths.mean(axis=1),
    }
    match task:
        case MultiGoal():
            own = _multigoal(task, trajectories)
        case Locomotion():
            own = _locomotion(trajectories)
        case LinearQuadratic() | Gymnasium():
            own = {}
        case _:
            assert_never(task)
    return {name: values.tolist() for name, values in (common | own).items()}


def _multigoal(
    task: MultiGoal, trajectories: Trajectories
) -> dict[str, Float[ndarray, " member"]]:
    distance = goal_distances(trajectories.last_positions, np.array(task.goals))
    nearest = distance.argmin(axis=-1)
    goals = np.arange(len(task.goals))
    reached = (distance.min(axis=-1) < GOAL_RADIUS)[..., None] & (
        nearest[..., None] == goals
    )
    frequency = reached.mean(axis=1)  # [member, goal]
    success = frequency.sum(axis=1)
    share = frequency / np.maximum(success, TINY)[:, None]
    log_share = np.log(share, where=share > 0, out=np.zeros_like(share))
    named = {f"goal_{goal}": frequency[:, goal] for goal in goals}
    return named | {
        "multi_goal_score": np.minimum(frequency, 1 / len(goals)).sum(axis=1),
        "goals_reached": (frequency >= REACHED_SHARE).sum(axis=1).astype(float),
        "goal_entropy": -(share * log_share).sum(axis=1),
        "success": success,
    }


def _locomotion(trajectories: Trajectories) -> dict[str, Float[ndarray, " member"]]:
    assert trajectories.positions is not None
    moved = trajectories.last_positions - trajectories.positions[:, :, 0]
    distance = np.linalg.norm(moved, axis=-1).mean(axis=1)
    resultant = np.linalg.norm(moved.mean(axis=1), axis=-1)
    return {
        "distance": distance,
        "forward_distance": moved[..., 0].mean(axis=1),
        "direction_spread": 1 - resultant / np.maximum(distance, TINY),
    }


def steps_to_all_goals(
    records: Sequence[Record], *, goals: int, after: int
) -> list[float]:
    """The first evaluation in which each member reached every goal, in its steps.

    Args:
        records: Of a training on multigoal.
        goals: How many there are.
        after: Steps without learning; what fresh policies do by chance before their end
            does not count.

    Returns:
        Steps per member; NaN where it never happened.
    """
    judged = [r for r in records if "evaluation/goals_reached" in r.metrics]
    reached = np.array([r.metrics["evaluation/goals_reached"] for r in judged])
    steps = np.array([r.step for r in judged], dtype=float)
    arrived = (reached == goals) & (steps > after)[:, None]
    first = steps[arrived.argmax(axis=0)]
    return list(np.where(arrived.any(axis=0), first, np.nan).tolist())
