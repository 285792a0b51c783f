"""Weights that rebuild a policy in one call, and states that continue a training.

Nothing here is a pickle: tensors are safetensors, the rest is JSON inside of them.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from safetensors import safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from pipeline.core import agents
from pipeline.core.config import Algorithm

if TYPE_CHECKING:
    from pipeline.core.training import Training

DIGEST = hashlib.sha256().digest_size
LENGTH = 8


class DamagedError(Exception):
    """A file is not what was written."""


class WrongStartError(Exception):
    """Pretrained weights do not fit the run that is to start from them."""


def load_policy(path: Path) -> agents.Agent:
    """Rebuild the population whose weights are in a file.

    Raises:
        DamagedError: The file cannot be read.
    """
    return rebuilt(*read(path))


def rebuilt(config: dict[str, Any], weights: Mapping[str, Tensor]) -> agents.Agent:
    """A population from what a file of weights has in it; see `read`."""
    agent = agents.make(
        TypeAdapter(list[Algorithm]).validate_json(json.dumps(config["algorithms"])),
        config["seeds"],
        states=config["states"],
        actions=config["actions"],
        discount=config["task"]["discount"],
    )
    for name, tensor in agent.networks().items():
        tensor.copy_(weights[name])
    return agent


def start_from(path: Path, agent: agents.Agent, seeds: Sequence[int]) -> None:
    """Copy pretrained networks, member by member of the same seed.

    Slow copies start equal to what they follow. Replay, optimisers and temperature
    start afresh.

    Raises:
        DamagedError: The file cannot be read.
        WrongStartError: A seed is missing, or the networks have other shapes.
    """
    config, weights = read(path)
    trained = config["seeds"]
    missing = sorted(set(seeds) - set(trained))
    if missing:
        raise WrongStartError(f"{path} has seeds {trained}, but not {missing}")
    rows = [trained.index(seed) for seed in seeds]
    for name, tensor in agent.networks().items():
        if name == "log_temperature":
            continue
        source = weights.get(name.removesuffix("_target"))
        if source is None or source.shape[1:] != tensor.shape[1:]:
            width = tuple(tensor.shape[1:])
            raise WrongStartError(f"{path} has no {name!r} of shape {width}")
        tensor.copy_(source[rows])


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a file of weights says about itself, and its tensors by name.

    Raises:
        DamagedError: The file cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            config = json.loads(file.metadata()["config"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:
        raise DamagedError(f"{path} cannot be read as weights: {error}") from error
    return config, weights


def save(path: Path, training: "Training") -> None:
    """Write a training's state, atomically.

    The file is the SHA-256 of the rest; the length of the JSON part in eight bytes; the
    JSON part; the tensors.
    """
    tensors, values = training.state()
    text = json.dumps(values).encode()
    arrays = save_tensors({k: tensor.contiguous() for k, tensor in tensors.items()})
    content = len(text).to_bytes(LENGTH, "little") + text + arrays
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def restore(path: Path, training: "Training") -> None:
    """Continue a training from a saved state.

    Raises:
        DamagedError: The file is not what was written.
    """
    stored = path.read_bytes()
    digest, content = stored[:DIGEST], stored[DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise DamagedError(f"{path} is not what was written")
    end = LENGTH + int.from_bytes(content[:LENGTH], "little")
    values = json.loads(content[LENGTH:end])
    training.load_state(load_tensors(content[end:]), values)
