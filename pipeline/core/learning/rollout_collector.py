"""Learning from every rollout once, on policy."""

from collections.abc import Sequence

from jaxtyping import Bool
from torch import Tensor

from pipeline.core.agents.reinforce import SoftPolicyGradient
from pipeline.core.agents.settings import Reinforce
from pipeline.core.agents.shapes import Action, State
from pipeline.core.learning.collector import Collector, Outcome
from pipeline.core.memory.rollout import RolloutBuffer
from pipeline.core.tasks.episodes import Transition


class RolloutCollector(Collector):
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
        self._agent = agent
        self._updates = config.updates(steps)
        self._buffer = RolloutBuffer(
            len(seeds), config.steps_per_update, states=states, device=agent.device
        )

    def act(
        self, state: State, *, step: int, starting: Bool[Tensor, " member"]
    ) -> Action:
        return self._agent.act(state, step=step, starting=starting)

    def learn(
        self, state: State, action: Action, made: Transition, *, step: int, updates: int
    ) -> int:
        self._buffer.add(state, *Outcome.of(made, state.device))
        if not self._buffer.full:
            return 0
        self._agent.follow_schedules(updates / self._updates)
        self._agent.update(self._buffer.take(), index=updates)
        return 1

    def state(self) -> dict[str, Tensor]:
        return self._buffer.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        self._buffer.load_state(state)
