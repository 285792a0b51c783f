"""The file `weights.safetensors`: written without torch, rebuilt in one call.

Nothing here is a pickle: tensors are safetensors, the rest is JSON inside of them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.values import parsed
from pipeline.core.job import Array
from pipeline.core.tasks.settings import Task

if TYPE_CHECKING:  # whoever only writes needs no torch
    from torch import Tensor

    from pipeline.core.agents.base import Agent


class DamagedError(Exception):
    """A file is not what was written."""


class WrongStartError(Exception):
    """Pretrained weights do not fit the run that is to start from them."""


def policy_bytes(
    task: Task,
    algorithms: Sequence[Algorithm],
    seeds: Sequence[int],
    weights: Mapping[str, Array],
    *,
    states: int,
    actions: int,
) -> bytes:
    """Everything that rebuilds the policies, the same bytes for the same input.

    Weights are named as by `Agent.networks`, member axis first.
    """
    config = {
        "task": task.model_dump(mode="json"),
        "algorithms": [algorithm.model_dump(mode="json") for algorithm in algorithms],
        "seeds": list(seeds),
        "states": states,
        "actions": actions,
    }
    # One entry only: safetensors writes several in an order that changes.
    metadata = {"config": json.dumps(config, sort_keys=True)}
    arrays = {name: np.ascontiguousarray(weights[name]) for name in sorted(weights)}
    return save(arrays, metadata=metadata)


def load_policy(path: Path) -> "Agent":
    """Rebuild the population whose weights are in a file.

    Raises:
        DamagedError: The file cannot be read.
    """
    return rebuilt(*read(path))


def rebuilt(config: dict[str, Any], weights: "Mapping[str, Tensor]") -> "Agent":
    """A population from what a file of weights has in it; see `read`."""
    from pipeline.core.agents import factory

    agent = factory.make(
        parsed(list[Algorithm], config["algorithms"]),
        config["seeds"],
        states=config["states"],
        actions=config["actions"],
        discount=config["task"]["discount"],
    )
    for name, tensor in agent.networks().items():
        tensor.copy_(weights[name])
    agent.follow_schedules(1.0)
    return agent


def pretrained(path: Path, seeds: Sequence[int]) -> dict[str, Array]:
    """The networks that members of these seeds have in a file, member axis first.

    Raises:
        DamagedError: The file cannot be read.
        WrongStartError: A seed is missing.
    """
    config, weights = _read(path, "np")
    trained = config["seeds"]
    missing = sorted(set(seeds) - set(trained))
    if missing:
        raise WrongStartError(f"{path} has seeds {trained}, but not {missing}")
    rows = [trained.index(seed) for seed in seeds]
    return {name: array[rows] for name, array in weights.items()}


def start_from(start: Mapping[str, Array], agent: "Agent") -> None:
    """Copy pretrained networks, member by member.

    Target networks start equal to what they follow. Replay, optimisers and temperature
    start afresh.

    Raises:
        WrongStartError: The networks have other shapes.
    """
    for name, tensor in agent.networks().items():
        if name == "log_temperature":
            continue
        source = start.get(name.removesuffix("_target"))
        if source is None or source.shape[1:] != tensor.shape[1:]:
            width = tuple(tensor.shape[1:])
            raise WrongStartError(f"the start has no {name!r} of shape {width}")
        tensor.copy_(tensor.new_tensor(source))


def read(path: Path) -> tuple[dict[str, Any], "dict[str, Tensor]"]:
    """What a file of weights says about itself, and its tensors by name.

    Raises:
        DamagedError: The file cannot be read.
    """
    return _read(path, "pt")


def _read(path: Path, framework: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with safe_open(path, framework=framework) as file:
            config = json.loads(file.metadata()["config"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:
        raise DamagedError(f"{path} cannot be read as weights: {error}") from error
    return config, weights
