"""States that continue a training, to the bit.

Nothing here is a pickle: a file is JSON and the numbers of tensors. It is written and
read in pieces, because a replay may be larger than memory.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from pipeline.core.training.weights import DamagedError

DIGEST = hashlib.sha256().digest_size
LENGTH = 8
PIECE = 2**24
"""Bytes of a tensor that are copied at once."""


@runtime_checkable
class Resumable(Protocol):
    """What has a state that it can go on from."""

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors, and values that JSON can say."""

    def load_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Continue from what `state` returned: copy it, it is part of a file."""


def save(path: Path, training: Resumable, write: Callable[..., None]) -> None:
    """Write a training's state, by a function that writes a file whole or not at all.

    The file is the length of the JSON part in eight bytes; the JSON part; the tensors,
    those of wide numbers first, so that every number is where its width asks; the
    SHA-256 of all this. The function is given it in pieces.
    """
    write(path, _content(*training.state()))


def restore(path: Path, training: Resumable) -> None:
    """Continue a training from a saved state.

    Raises:
        DamagedError: The file is not what was written; the training is as before.
    """
    content = _checked(path)
    start = LENGTH + int.from_bytes(content[:LENGTH].tobytes(), "little")
    said = json.loads(content[LENGTH:start].tobytes())
    tensors = {}
    for name, kind, shape in said["tensors"]:
        dtype = getattr(torch, kind)
        end = start + dtype.itemsize * prod(shape)
        tensors[name] = _mapped(content[start:end]).view(dtype).reshape(shape)
        start = end
    training.load_state(tensors, said["values"])


def _content(
    tensors: dict[str, Tensor], values: dict[str, Any]
) -> Iterator[bytes | memoryview]:
    ordered = sorted(tensors.items(), key=lambda item: -item[1].itemsize)
    described = [
        [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        for name, tensor in ordered
    ]
    text = json.dumps({"values": values, "tensors": described}).encode()
    text += b" " * (-len(text) % LENGTH)
    pieces = chain.from_iterable(_pieces(tensor) for _, tensor in ordered)
    digest = hashlib.sha256()
    head: list[bytes | memoryview] = [len(text).to_bytes(LENGTH, "little"), text]
    for piece in chain(head, pieces):
        digest.update(piece)
        yield piece
    yield digest.digest()


def _pieces(tensor: Tensor) -> Iterator[memoryview]:
    """The bytes of a tensor in the order of its numbers."""
    if tensor.nbytes <= PIECE:
        yield tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
        return
    rows = PIECE * len(tensor) // tensor.nbytes
    for part in torch.split(tensor, rows) if rows else tensor:
        yield from _pieces(part)


def _checked(path: Path) -> ndarray:
    """The bytes of a file before its digest, of which none is read in advance."""
    if path.stat().st_size > DIGEST:
        whole = np.memmap(path, np.uint8, "r")
        content, digest = whole[:-DIGEST], whole[-DIGEST:]
        if hashlib.sha256(content.data).digest() == digest.tobytes():
            return content
    raise DamagedError(f"{path} is not what was written")


def _mapped(content: ndarray) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(content)
