"""The collector that belongs to an algorithm."""

from collections.abc import Sequence
from typing import cast

from pipeline.core.agents.base import Agent, QLearner
from pipeline.core.agents.reinforce import SoftPolicyGradient
from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.learner import OffPolicy
from pipeline.core.learning.collector import Collector
from pipeline.core.learning.replay_collector import ReplayCollector
from pipeline.core.learning.rollout_collector import RolloutCollector
from pipeline.core.memory.replay import Spill


def collector_for(
    agent: Agent,
    config: Algorithm,
    seeds: Sequence[int],
    *,
    steps: int,
    states: int,
    actions: int,
    pretrained: bool,
    spill: Spill | None,
) -> Collector:
    """How a population gathers experience: off policy into a replay, or on policy.

    `steps` are those of the whole run. A policy that is `pretrained` can do something
    already; a replay that is too large for memory goes where `spill` says.
    """
    if isinstance(config, OffPolicy):
        return ReplayCollector(
            cast(QLearner, agent),
            config,
            seeds,
            steps=steps,
            states=states,
            actions=actions,
            pretrained=pretrained,
            spill=spill,
        )
    learner = cast(SoftPolicyGradient, agent)
    return RolloutCollector(learner, config, seeds, steps=steps, states=states)
