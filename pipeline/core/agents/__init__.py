"""The learners: soft Q-learning, soft actor-critic, DDPG, REINFORCE."""

from collections.abc import Sequence
from typing import TypedDict, assert_never, cast

from pipeline.core.agents.base import Agent, QLearner
from pipeline.core.agents.ddpg import DeepDeterministicPolicyGradient
from pipeline.core.agents.reinforce import SoftPolicyGradient
from pipeline.core.agents.sac import SoftActorCritic
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.config import (
    Algorithm,
    Ddpg,
    Reinforce,
    Sac,
    Sql,
    values_of,
    with_values,
)

__all__ = ["Agent", "QLearner", "SoftPolicyGradient", "make"]


class Setting(TypedDict):
    """What a task says about its learners."""

    states: int
    actions: int
    discount: float


def make(
    configs: Sequence[Algorithm],
    seeds: Sequence[int],
    *,
    states: int,
    actions: int,
    discount: float,
) -> Agent:
    """A population of learners with fresh networks.

    Args:
        configs: One per member, alike but for the numbers marked `PerMember`.
        seeds: One per member.
        states: Width of a state.
        actions: Width of an action.
        discount: γ of the task, per environment step.

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
    sizes: Setting = {"states": states, "actions": actions, "discount": discount}
    match first:
        case Sql():
            return SoftQLearning(cast(Sequence[Sql], configs), seeds, **sizes)
        case Sac():
            return SoftActorCritic(cast(Sequence[Sac], configs), seeds, **sizes)
        case Ddpg():
            return DeepDeterministicPolicyGradient(
                cast(Sequence[Ddpg], configs), seeds, **sizes
            )
        case Reinforce():
            return SoftPolicyGradient(
                cast(Sequence[Reinforce], configs), seeds, **sizes
            )
        case _:
            assert_never(first)
