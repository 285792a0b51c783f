"""How a population gathers experience, and when it learns from it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, assert_never, cast

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core import value_table
from pipeline.core.agents import Agent, QLearner, SoftPolicyGradient
from pipeline.core.config import Algorithm, Ddpg, OffPolicy, Reinforce, Sac, Sql
from pipeline.core.noise import Noise
from pipeline.core.replay import Batch, Replay, Spill
from pipeline.core.rollout import RolloutBuffer
from pipeline.core.tasks.episodes import Transition


class Learning(ABC):
    """What stands between the environments and the learners."""

    @abstractmethod
    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """Actions for gathering experience; as `Agent.act`."""

    @abstractmethod
    def learn(
        self,
        state: Float[Tensor, "member state"],
        action: Float[Tensor, "member action"],
        made: Transition,
        *,
        step: int,
        updates: int,
    ) -> int:
        """Take in one step of every member, and learn if it is time to.

        Args:
            state: Where the members were.
            action: What they did.
            made: What came of it.
            step: Environment step, counted from 0.
            updates: Updates so far.

        Returns:
            Updates made now.
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """What is remembered, for a checkpoint."""

    @abstractmethod
    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""


class _Outcome(NamedTuple):
    """What came of a step of every member, where the learners are."""

    reward: Float[Tensor, " member"]
    state_next: Float[Tensor, "member state"]
    terminated: Float[Tensor, " member"]
    truncated: Float[Tensor, " member"]

    @classmethod
    def of(cls, made: Transition, device: torch.device) -> "_Outcome":
        reward, terminated, truncated = (
            torch.from_numpy(value).float().to(device)
            for value in (made.reward, made.terminated, made.truncated)
        )
        return cls(reward, made.observation_next.to(device), terminated, truncated)


class FromReplay(Learning):
    """Off policy: from everything kept, after every step once the warm-up is over."""

    def __init__(
        self,
        agent: QLearner,
        config: OffPolicy,
        seeds: Sequence[int],
        *,
        steps: int,
        states: int,
        actions: int,
        pretrained: bool,
        spill: Spill | None,
    ) -> None:
        """Make an empty memory.

        Args:
            agent: Who learns.
            config: Of the population.
            seeds: One per member.
            steps: Environment steps of the whole run.
            states: Width of a state.
            actions: Width of an action.
            pretrained: Whether the policy can do something already. If not, actions
                are uniform during the warm-up.
            spill: As for `Replay`.
        """
        self._agent = agent
        self._config = config
        self._pretrained = pretrained
        self._updates = config.updates(steps)
        device = agent.device
        self._replay = Replay(
            len(seeds),
            config.replay,
            states=states,
            actions=actions,
            device=device,
            spill=spill if device.type == "cpu" else None,
        )
        self._table = value_table.make(agent, config, self._replay, steps=steps)
        self._warmup = Noise(
            seeds, "warmup", shape=(actions,), kind="uniform", device=device
        )
        self._choice = Noise(
            seeds,
            "replay",
            shape=(config.batch,),
            kind="uniform",
            dtype=np.float64,
            device=device,
        )

    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """Uniform actions at first, then the agent's."""
        if step < self._config.warmup and not self._pretrained:
            return 2 * self._warmup.at(step) - 1
        return self._agent.act(state, step=step, starting=starting)

    def learn(
        self,
        state: Float[Tensor, "member state"],
        action: Float[Tensor, "member action"],
        made: Transition,
        *,
        step: int,
        updates: int,
    ) -> int:
        """Keep the step; make so many updates from batches of what is kept."""
        outcome = _Outcome.of(made, state.device)
        self._replay.add(
            state, action, outcome.reward, outcome.state_next, outcome.terminated
        )
        if step < self._config.warmup:
            return 0
        for index in range(updates, updates + self._config.updates_per_step):
            self._agent.follow_schedules(index / self._updates)
            self._agent.update(self._batch(index), index=index)
        return self._config.updates_per_step

    def _batch(self, index: int) -> Batch:
        choice = self._choice.at(index)
        if self._table is None:
            return self._replay.sample(choice)
        return self._table.sample(choice, update=index)

    def state(self) -> dict[str, Tensor]:
        """What is kept."""
        table = {} if self._table is None else self._table.state()
        return self._replay.state() | table

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self._replay.load_state(state)
        if self._table is not None:
            self._table.load_state(state)

    def visited(
        self, uniform: Float[Tensor, "member n"]
    ) -> Float[Tensor, "member n state"]:
        """States of kept transitions, drawn with replacement; as `Replay.sample`."""
        return self._replay.sample(uniform).state


class FromRollouts(Learning):
    """On policy: from every rollout once, which is then forgotten."""

    def __init__(
        self,
        agent: SoftPolicyGradient,
        config: Reinforce,
        seeds: Sequence[int],
        *,
        steps: int,
        states: int,
    ) -> None:
        """Make an empty memory.

        Args:
            agent: Who learns.
            config: Of the population.
            seeds: One per member.
            steps: Environment steps of the whole run.
            states: Width of a state.
        """
        self._agent = agent
        self._updates = config.updates(steps)
        self._buffer = RolloutBuffer(
            len(seeds), config.steps_per_update, states=states, device=agent.device
        )

    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """The agent's actions from the first step."""
        return self._agent.act(state, step=step, starting=starting)

    def learn(
        self,
        state: Float[Tensor, "member state"],
        action: Float[Tensor, "member action"],
        made: Transition,
        *,
        step: int,
        updates: int,
    ) -> int:
        """Append the step; make one update if the rollout is complete."""
        self._buffer.add(state, *_Outcome.of(made, state.device))
        if not self._buffer.full:
            return 0
        self._agent.follow_schedules(updates / self._updates)
        self._agent.update(self._buffer.take(), index=updates)
        return 1

    def state(self) -> dict[str, Tensor]:
        """The unfinished rollout."""
        return self._buffer.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self._buffer.load_state(state)


def make(
    agent: Agent,
    config: Algorithm,
    seeds: Sequence[int],
    *,
    steps: int,
    states: int,
    actions: int,
    pretrained: bool,
    spill: Spill | None,
) -> Learning:
    """The way of learning that belongs to an algorithm; arguments as above."""
    match config:
        case Sql() | Sac() | Ddpg():
            return FromReplay(
                cast(QLearner, agent),
                config,
                seeds,
                steps=steps,
                states=states,
                actions=actions,
                pretrained=pretrained,
                spill=spill,
            )
        case Reinforce():
            learner = cast(SoftPolicyGradient, agent)
            return FromRollouts(learner, config, seeds, steps=steps, states=states)
        case _:
            assert_never(config)
