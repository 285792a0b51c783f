"""The learners: soft Q-learning, soft actor-critic, DDPG, REINFORCE."""

from collections.abc import Sequence
from typing import assert_never, cast

from pipeline.core.agents.base import Agent, QLearner
from pipeline.core.agents.ddpg import DeepDeterministicPolicyGradient
from pipeline.core.agents.reinforce import SoftPolicyGradient
from pipeline.core.agents.sac import SoftActorCritic
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.config import (
    PLAIN,
    Algorithm,
    Computation,
    Ddpg,
    Reinforce,
    Sac,
    Sql,
    values_of,
    with_values,
)

__all__ = ["Agent", "QLearner", "Setting", "SoftPolicyGradient", "make"]


def make(
    configs: Sequence[Algorithm],
    seeds: Sequence[int],
    *,
    states: int,
    actions: int,
    discount: float,
    computation: Computation = PLAIN,
) -> Agent:
    """A population of learners with fresh networks.

    Args:
        configs: One per member, alike but for the numbers marked `PerMember`.
        seeds: One per member.
        states: Width of a state.
        actions: Width of an action.
        discount: γ of the task, per environment step.
        computation: How updates are computed, settled.

    Raises:
        ValueError: Members differ in something that a population shares.
    """
    first = configs[0]
    for config in configs:
        alike = values_of(config).keys() == values_of(first).keys()
        if not alike or with_values(config, values_of(first)) != first:
            raise ValueError(
                "members of one population may differ only in "
                f"{', '.join(values_of(first))}; got {first} and {config}"
            )
    setting = Setting(tuple(seeds), states, actions, discount, computation)
    match first:
        case Sql():
            return SoftQLearning(cast(Sequence[Sql], configs), setting)
        case Sac():
            return SoftActorCritic(cast(Sequence[Sac], configs), setting)
        case Ddpg():
            ddpg = cast(Sequence[Ddpg], configs)
            return DeepDeterministicPolicyGradient(ddpg, setting)
        case Reinforce():
            return SoftPolicyGradient(cast(Sequence[Reinforce], configs), setting)
        case _:
            assert_never(first)
