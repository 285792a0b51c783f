"""Populations of learners from their settings."""

from collections.abc import Sequence

from pipeline.core.agents.base import Agent
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import PLAIN, Computation
from pipeline.core.config.values import shared, values_of


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

    `computation` is settled; members are alike but for the numbers marked `PerMember`.

    Raises:
        ValueError: Members differ in something that a population shares.
    """
    first = configs[0]
    for config in configs:
        if shared(config) != shared(first):
            raise ValueError(
                "members of one population may differ only in "
                f"{', '.join(values_of(first))}; got {first} and {config}"
            )
    setting = Setting(tuple(seeds), states, actions, discount, computation)
    return first.population(configs, setting)
