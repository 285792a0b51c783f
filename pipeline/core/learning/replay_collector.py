"""Learning from everything kept, off policy."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core.agents.base import QLearner
from pipeline.core.agents.shapes import Action, State
from pipeline.core.config.learner import OffPolicy
from pipeline.core.learning import value_table
from pipeline.core.learning.collector import Collector, Outcome
from pipeline.core.memory.replay import Batch, Replay, Spill
from pipeline.core.population.noise import Noise
from pipeline.core.tasks.episodes import Transition


class ReplayCollector(Collector):
    """Off policy: from everything kept, after every step once the warm-up is over.

    During the warm-up actions are uniform, if the policy is not pretrained.
    """

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
        self._agent = agent
        self._config = config
        self._pretrained = pretrained
        self._updates = config.updates(steps)
        device = agent.device
        self._replay = Replay(
            len(seeds),
            min(config.replay, steps),  # what is never filled takes no room
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
        self, state: State, *, step: int, starting: Bool[Tensor, " member"]
    ) -> Action:
        if step < self._config.warmup and not self._pretrained:
            return 2 * self._warmup.at(step) - 1
        return self._agent.act(state, step=step, starting=starting)

    def learn(
        self, state: State, action: Action, made: Transition, *, step: int, updates: int
    ) -> int:
        outcome = Outcome.of(made, state.device)
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
        table = {} if self._table is None else self._table.state()
        return self._replay.state() | table

    def load_state(self, state: dict[str, Tensor]) -> None:
        self._replay.load_state(state)
        if self._table is not None:
            self._table.load_state(state)

    def visited(
        self, uniform: Float[Tensor, "member n"]
    ) -> Float[Tensor, "member n state"]:
        """States of kept transitions, drawn with replacement; as `Replay.sample`."""
        return self._replay.sample(uniform).state
