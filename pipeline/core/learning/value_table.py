"""Soft values of everything kept, computed once for every update of the target network.

Between two target updates the target of a transition stays as it is, but for random
actions of the soft value (SQL Eq. 10), and each transition is drawn many times. So the
values of all are computed when the target network has changed and are looked up after
that. What is kept later is drawn from after the next target update.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.base import QLearner
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.config.learner import OffPolicy, PeriodicTarget
from pipeline.core.memory.replay import Batch, Replay, chosen


class ValueTable:
    """V(s') of a replay's transitions, by the target network of the agent.

    The replay must never forget one: there are as many as environment `steps` in a run.
    """

    def __init__(
        self, agent: SoftQLearning, replay: Replay, *, update_every: int, steps: int
    ) -> None:
        self._agent = agent
        self._replay = replay
        self._update_every = update_every
        self._values = torch.zeros(replay.members, steps, device=agent.device)
        self._known = torch.zeros((), dtype=torch.int64)

    def sample(self, uniform: Float[Tensor, "member batch"], *, update: int) -> Batch:
        """Transitions with their values, of those that have one; chosen as by `chosen`.

        `update` counts updates from 0. The first after a target update fills the table.
        """
        version, since = divmod(update, self._update_every)
        if since == 0:
            self._known.fill_(self._replay.size)
            self._values[:, : int(self._known)] = self._agent.target_value(
                self._replay.states_next(), draw=version
            )
        index = chosen(uniform, among=int(self._known))
        value = torch.take_along_dim(self._values, index, dim=1)
        return self._replay.take(index)._replace(value_next=value)

    def state(self) -> dict[str, Tensor]:
        """The values that are known."""
        return {"values": self._values[:, : int(self._known)], "known": self._known}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self._known.copy_(state["known"])
        self._values[:, : int(self._known)] = state["values"]


def make(
    agent: QLearner, config: OffPolicy, replay: Replay, *, steps: int
) -> ValueTable | None:
    """A table where it saves more values than it computes and stays true, else None.

    Only soft Q-learning has values that depend on nothing but a target network.
    """
    if not isinstance(agent, SoftQLearning) or steps > config.replay:
        return None
    match config.target:
        case PeriodicTarget(update_every=every) if steps <= config.batch * every:
            return ValueTable(agent, replay, update_every=every, steps=steps)
        case _:
            return None
