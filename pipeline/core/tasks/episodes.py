"""Episodes of many environments: seeded starts, time limits, exact continuation."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import flatdim
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from pipeline.core.population.randomness import integers
from pipeline.core.tasks.kind import Kind


@dataclass(frozen=True)
class Transition:
    """One step of every environment. `truncated` is a time limit, not an end."""

    reward: Float[ndarray, " environment"]
    observation_next: Float[Tensor, "environment state"]
    terminated: Bool[ndarray, " environment"]
    truncated: Bool[ndarray, " environment"]


class Episodes:
    """Environments in [-1, 1]^d actions, whose every episode has a seed of its own.

    `seed_of` gives the seed of (environment, its episode counted from 0). Because an
    episode is determined by its seed and its actions, any environment can be continued
    exactly: start again with the seed, repeat the actions.

    An environment that raises, hangs, or is given or gives what is not finite has
    failed. It is left alone from then on: it shows zeros, for a reward of 0, and every
    episode of it lasts until its time limit.
    """

    def __init__(
        self, task: Kind, count: int, seed_of: Callable[[int, int], int]
    ) -> None:
        self._environments = task.environments(count)
        self.watched: AbstractContextManager[object] = getattr(
            self._environments, "patience", nullcontext()
        )
        """Entered around many steps, so that each need not set a timer of its own."""
        self._horizon = task.time_limit
        self._in_plane = task.has_plane
        self._seed_of = seed_of
        self._count = count
        self._episode = np.zeros(count, dtype=np.int64)
        self._length = np.zeros(count, dtype=np.int64)
        self._actions = np.zeros((count, self._horizon, self.actions), np.float32)
        self._rows = np.arange(count)
        self._everywhere = np.ones(count, dtype=bool)
        self.positions: Float[ndarray, "environment 2"] | None = None
        """Where each body is in the plane, in a task that has a plane."""
        self.observation = torch.zeros(count, self.states)
        """What each environment shows now."""
        self.failures: dict[int, str] = {}
        """What went wrong with each environment that has failed."""
        self._sound = np.ones(count, dtype=bool)

    @property
    def states(self) -> int:
        """Width of an observation."""
        return flatdim(self._environments.single_observation_space)

    @property
    def actions(self) -> int:
        """Width of an action."""
        return flatdim(self._environments.single_action_space)

    @property
    def lengths(self) -> Int[ndarray, " environment"]:
        """Steps made of each episode."""
        return self._length

    @property
    def starting(self) -> Bool[Tensor, " environment"]:
        """Where no step of the episode has been made."""
        return torch.from_numpy(self._length == 0)

    def reset(self) -> None:
        """Start the first episode of every environment."""
        self._episode[:] = 0
        self._start(self._everywhere)

    def next(self, ended: Bool[ndarray, " environment"]) -> None:
        """Start the following episode where one has ended."""
        self._episode[ended] += 1
        self._start(ended)

    def fail(self, environment: int, reason: str) -> None:
        """Leave an environment alone from now on; the first reason stays."""
        self.failures.setdefault(environment, reason)
        self._sound[environment] = False
        self.observation[environment] = 0.0

    def _start(self, mask: Bool[ndarray, " environment"]) -> None:
        self._length[mask] = 0
        mask = mask & self._sound
        if not mask.any():
            return
        seeds = [
            self._seed_of(i, int(self._episode[i])) if mask[i] else None
            for i in range(self._count)
        ]
        observation, info = self._environments.reset(
            seed=seeds,  # type: ignore[arg-type]  # Gymnasium takes a list, too
            options={"reset_mask": mask},
        )
        self._see(observation, info, mask)

    def step(self, action: Float[Tensor, "environment action"]) -> Transition:
        """Act everywhere. An episode that has ended must be followed by `next`."""
        acted = action.numpy()
        if self.failures or not np.isfinite(acted).all():
            acted = self._finite(action).numpy()
        observation, reward, terminated, cut, info = self._environments.step(acted)
        self._actions[self._rows, np.minimum(self._length, self._horizon - 1)] = acted
        self._length += 1
        reward = np.asarray(reward, dtype=np.float64)
        if not np.isfinite(reward).all():
            self._note(~np.isfinite(reward), lambda row: f"its reward is {reward[row]}")
        self._see(observation, info, self._everywhere)
        if self.failures:
            reward = np.where(self._sound, reward, 0.0)
            terminated, cut = terminated & self._sound, cut & self._sound
        truncated = ((self._length >= self._horizon) | cut) & ~terminated
        return Transition(reward, self.observation, terminated.copy(), truncated)

    def _finite(
        self, action: Float[Tensor, "environment action"]
    ) -> Float[Tensor, "environment action"]:
        """The actions, none of an environment that has failed or is given no number."""
        strange = ~action.isfinite().all(dim=1).numpy()
        self._note(strange, lambda row: f"its policy acts by {action[row].tolist()}")
        return torch.where(torch.from_numpy(self._sound)[:, None], action, 0.0)

    def _note(
        self, wrong: Bool[ndarray, " environment"], reason: Callable[[int], str]
    ) -> None:
        """Let environments fail, each with its reason."""
        for row in np.flatnonzero(wrong & self._sound):
            self.fail(int(row), reason(int(row)))

    def _see(self, observation: ndarray, info: dict[str, Any], mask: ndarray) -> None:
        seen = observation.astype(np.float32)
        shown = torch.from_numpy(seen)
        if "failure" in info:
            failed = mask & np.array([each is not None for each in info["failure"]])
            self._note(failed, lambda row: str(info["failure"][row]))
        if not np.isfinite(seen).all():
            strange = mask & ~shown.isfinite().all(dim=1).numpy()
            self._note(strange, lambda row: f"it shows {_component(shown[row])}")
        if self.failures:
            shown = torch.where(torch.from_numpy(self._sound)[:, None], shown, 0.0)
        self.observation = shown
        if self._in_plane:
            place = np.asarray(info["position"], dtype=np.float64)
            if self.positions is None:
                self.positions = place
            self.positions = np.where(mask[:, None], place, self.positions)

    def state(self) -> dict[str, Tensor]:
        """The present episodes: their numbers, lengths and actions so far."""
        return {
            "episode": torch.from_numpy(self._episode),
            "length": torch.from_numpy(self._length),
            "actions": torch.from_numpy(self._actions),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Live through the present episodes again, up to where they were.

        All of them arrive together: a shorter episode starts later, and whatever its
        environment does until then is forgotten.
        """
        lengths, actions = state["length"].numpy().copy(), state["actions"].clone()
        self._episode[:] = state["episode"].numpy()
        waiting = lengths.max() - lengths
        due = self._everywhere
        with self.watched:
            for step in range(lengths.max()):
                self._start(due | (waiting == step))
                made = self.step(actions[self._rows, np.maximum(step - waiting, 0)])
                due = (made.terminated | made.truncated) & (waiting > step)
        self._start(due | (lengths == 0))
        self._length[:] = lengths
        self._actions[:] = actions.numpy()


def member_seeds(seeds: Sequence[int], purpose: str) -> Callable[[int, int], int]:
    """Seeds of the episodes of each member, from its own stream."""
    return lambda member, episode: integers(seeds[member], purpose, episode, 1)[0]


def _component(observation: Float[Tensor, " state"]) -> str:
    """The first component that is no finite number."""
    index = int(torch.nonzero(~observation.isfinite())[0])
    return f"{float(observation[index])} as component {index} of its observation"
