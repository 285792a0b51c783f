"""States that continue a training, to the bit.

Nothing here is a pickle: tensors are safetensors, the rest is JSON.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from pipeline.core.training.weights import DamagedError

DIGEST = hashlib.sha256().digest_size
LENGTH = 8


@runtime_checkable
class Resumable(Protocol):
    """What has a state that it can go on from."""

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors, and values that JSON can say."""

    def load_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Continue from what `state` returned."""


def save(path: Path, training: Resumable, write: Callable[..., None]) -> None:
    """Write a training's state, by a function that writes a file whole or not at all.

    The file is the SHA-256 of the rest; the length of the JSON part in eight bytes; the
    JSON part; the tensors.
    """
    tensors, values = training.state()
    text = json.dumps(values).encode()
    arrays = save_tensors({k: tensor.contiguous() for k, tensor in tensors.items()})
    content = len(text).to_bytes(LENGTH, "little") + text + arrays
    write(path, hashlib.sha256(content).digest(), content)


def restore(path: Path, training: Resumable) -> None:
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
