"""Two trained soft Q-functions become one policy, without any environment step.

For tasks with the same dynamics whose episodes no goal ends, the average (or the sum)
of two soft Q-functions is close to the soft Q-function of the average (or summed)
reward (Haarnoja et al. 2018, arXiv:1803.06773; `exact/composition_bound.py` says how
close). The Q-functions stay as they are; a fresh sampler learns to draw from
exp(Q/α) at states that both have visited.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.composition.fit import shared_settings
from pipeline.core.composition.policy import PARTS, Composed
from pipeline.core.config.values import parsed
from pipeline.core.tasks.multigoal.combination import Rule, combined_arena
from pipeline.core.tasks.settings import Task
from pipeline.core.training import weights

Stored: TypeAlias = tuple[dict[str, Any], dict[str, Tensor]]


def compose(
    first: Stored,
    second: Stored,
    states: Float[ndarray, "member n state"],
    *,
    rule: Rule,
    updates: int,
) -> Composed:
    """Train a sampler for two trained soft Q-functions together.

    `first` and `second` are as `weights.read` them, of soft Q-learning, of the same
    seeds, temperature and hidden layers, in the same dynamics. `states` were visited by
    each member in both trainings; `updates` are the sampler's.

    Raises:
        MisfitError: The two do not fit.
    """
    descriptions, tensors = zip(first, second, strict=True)
    one, other = (parsed(Task, description["task"]) for description in descriptions)
    combined_arena(one, other, rule)
    composed = _composed(descriptions, tensors, rule)
    composed.train(states, updates=updates)
    return composed


def load(path: Path) -> Composed:
    """Rebuild a composed policy from the file that `Composed.to_bytes` filled.

    Raises:
        weights.DamagedError: The file cannot be read.
    """
    config, tensors = weights.read(path)
    own = [
        {
            name.removeprefix(f"{part}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}/")
        }
        for part in PARTS
    ]
    descriptions = [config[part] for part in PARTS]
    composed = _composed(descriptions, own, config["rule"])
    composed.networks()["policy"].copy_(tensors["policy"])
    return composed


def _composed(
    descriptions: Sequence[dict[str, Any]],
    tensors: Sequence[Mapping[str, Tensor]],
    rule: Rule,
) -> Composed:
    shared_settings(descriptions)  # before networks are made of something else
    parts = [
        cast(SoftQLearning, weights.rebuilt(description, own))
        for description, own in zip(descriptions, tensors, strict=True)
    ]
    return Composed(parts, descriptions, rule)
