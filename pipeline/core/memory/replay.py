"""Replayed experience: one preallocated block for the whole population."""

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


class Batch(NamedTuple):
    """Transitions of every member. `terminated` excludes time limits."""

    state: Float[Tensor, "member batch state"]
    action: Float[Tensor, "member batch action"]
    reward: Float[Tensor, "member batch"]
    state_next: Float[Tensor, "member batch state"]
    terminated: Float[Tensor, "member batch"]
    value_next: Float[Tensor, "member batch"] | None = None
    """V(s') by the target network, where it has been computed before."""


@dataclass(frozen=True)
class Spill:
    """Where a replay is that is too large to be in memory."""

    above: int
    """Bytes from which it is not."""
    folder: Path
    """Of its file, which has no name and is gone with the process."""


class Replay:
    """The latest `capacity` transitions of every member; the oldest goes first."""

    def __init__(
        self,
        members: int,
        capacity: int,
        *,
        states: int,
        actions: int,
        device: torch.device | None = None,
        spill: Spill | None = None,
    ) -> None:
        """Allocate, on the CPU if no device is named.

        `spill` says where transitions go that are too many for memory; None: they never
        are.

        Raises:
            OSError: There is no room for the file.
        """
        self._widths = [states, actions, 1, states, 1]
        shape = members, capacity, sum(self._widths)
        self._block = (
            _mapped(shape, spill.folder)
            if spill and 4 * prod(shape) > spill.above
            else torch.zeros(shape, device=device)
        )
        self._added = torch.zeros((), dtype=torch.int64)
        first = capacity * torch.arange(members, device=device)
        self._first = first.unsqueeze(-1)

    @property
    def members(self) -> int:
        """Size of the population."""
        return self._block.shape[0]

    @property
    def size(self) -> int:
        """Transitions held per member."""
        return min(int(self._added), self._block.shape[1])

    def add(
        self,
        state: Float[Tensor, "member state"],
        action: Float[Tensor, "member action"],
        reward: Float[Tensor, " member"],
        state_next: Float[Tensor, "member state"],
        terminated: Float[Tensor, " member"],
    ) -> None:
        """Keep one transition of every member."""
        row = (state, action, reward[:, None], state_next, terminated[:, None])
        slot = int(self._added) % self._block.shape[1]
        torch.cat(row, dim=1, out=self._block[:, slot])
        self._added += 1

    def sample(self, uniform: Float[Tensor, "member batch"]) -> Batch:
        """Transitions drawn with replacement; as `chosen`."""
        return self.take(chosen(uniform, among=self.size))

    def take(self, index: Int[Tensor, "member batch"]) -> Batch:
        """Transitions by their number, each member's own."""
        members, _, width = self._block.shape
        numbers = (index + self._first).flatten()
        rows = self._block.view(-1, width).index_select(0, numbers)
        rows = rows.view(members, -1, width)
        state, action, reward, state_next, terminated = torch.split(
            rows, self._widths, dim=-1
        )
        return Batch(
            state, action, reward.squeeze(-1), state_next, terminated.squeeze(-1)
        )

    def states_next(self) -> Float[Tensor, "member n state"]:
        """The states s' of everything that is kept, in the order of its numbers."""
        kept = torch.split(self._block[:, : self.size], self._widths, dim=-1)
        return kept[3]

    def state(self) -> dict[str, Tensor]:
        """What has been written so far."""
        return {"block": self._block[:, : self.size], "added": self._added}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self._added.copy_(state["added"])
        self._block[:, : self.size] = state["block"]


def _mapped(shape: tuple[int, ...], folder: Path) -> Tensor:
    """Zeros in a file of which the system keeps in memory what it has room for."""
    with TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, 4 * prod(shape))
        return torch.from_numpy(np.memmap(file, np.float32, "r+", shape=shape))


def chosen(
    uniform: Float[Tensor, "member batch"], *, among: int
) -> Int[Tensor, "member batch"]:
    """Numbers of transitions, among so many, drawn with replacement.

    The uniform numbers in [0, 1) are each member's own, in double precision.
    """
    return (uniform * among).long().clamp_(max=among - 1)
