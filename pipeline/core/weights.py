"""The file `weights.safetensors`, written without torch."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from safetensors.numpy import save

from pipeline.core.config import Algorithm, Task
from pipeline.core.job import Array


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

    Args:
        task: What the policies were trained on.
        algorithms: One per member.
        seeds: One per member.
        weights: As `Agent.networks` names them, member axis first.
        states: Width of a state.
        actions: Width of an action.
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
