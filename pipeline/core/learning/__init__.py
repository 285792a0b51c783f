"""How a population gathers experience, and when it learns from it."""

from collections.abc import Sequence
from typing import assert_never, cast

from pipeline.core.agents import Agent, QLearner, SoftPolicyGradient
from pipeline.core.config import Algorithm, Ddpg, Reinforce, Sac, Sql
from pipeline.core.learning.base import Learning
from pipeline.core.learning.from_replay import FromReplay
from pipeline.core.learning.from_rollouts import FromRollouts
from pipeline.core.replay import Spill

__all__ = ["FromReplay", "FromRollouts", "Learning", "make"]


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
