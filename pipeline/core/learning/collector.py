"""What stands between the environments and the learners."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from pipeline.core.agents.shapes import Action, Numbers, State
from pipeline.core.tasks.episodes import Transition


class Collector(ABC):
    """What stands between the environments and the learners."""

    @abstractmethod
    def act(
        self, state: State, *, step: int, starting: Bool[Tensor, " member"]
    ) -> Action:
        """Actions for gathering experience; as `Agent.act`."""

    @abstractmethod
    def learn(
        self, state: State, action: Action, made: Transition, *, step: int, updates: int
    ) -> int:
        """Take in one step of every member, and learn if it is time to.

        `step` counts environment steps from 0, `updates` what was learned so far.
        Returns the updates made now.
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """What is remembered, for a checkpoint."""

    @abstractmethod
    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""


class Outcome(NamedTuple):
    """What came of a step of every member, where the learners are."""

    reward: Numbers
    state_next: State
    terminated: Numbers
    truncated: Numbers

    @classmethod
    def of(cls, made: Transition, device: torch.device) -> "Outcome":
        """What came of a step, in single precision."""
        reward, terminated, truncated = (
            torch.from_numpy(value).float().to(device)
            for value in (made.reward, made.terminated, made.truncated)
        )
        return cls(reward, made.observation_next.to(device), terminated, truncated)
