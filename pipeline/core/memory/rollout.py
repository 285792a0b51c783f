"""Experience of one policy in the order in which it was made."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Rollout(NamedTuple):
    """Successive steps of every member, through one episode after the other.

    The actions are not here: an action is what its state and its noise make, and noise
    can be drawn again.
    """

    state: Float[Tensor, "member time state"]
    reward: Float[Tensor, "member time"]
    state_next: Float[Tensor, "member time state"]
    terminated: Float[Tensor, "member time"]
    """1 where the episode is over; a time limit is not an end."""
    truncated: Float[Tensor, "member time"]
    """1 where a time limit cut the episode."""


class RolloutBuffer:
    """The steps since the last update, until there are as many as an update needs."""

    def __init__(
        self,
        members: int,
        length: int,
        *,
        states: int,
        device: torch.device | None = None,
    ) -> None:
        self._widths = [states, 1, states, 1, 1]
        width = sum(self._widths)
        self._block = torch.zeros(members, length, width, device=device)
        self._added = torch.zeros((), dtype=torch.int64)

    @property
    def full(self) -> bool:
        """Whether there is a whole rollout."""
        return int(self._added) == self._block.shape[1]

    def add(
        self,
        state: Float[Tensor, "member state"],
        reward: Float[Tensor, " member"],
        state_next: Float[Tensor, "member state"],
        terminated: Float[Tensor, " member"],
        truncated: Float[Tensor, " member"],
    ) -> None:
        """Append one step of every member."""
        flags = (terminated[:, None], truncated[:, None])
        row = torch.cat((state, reward[:, None], state_next, *flags), dim=1)
        self._block[:, int(self._added)] = row
        self._added += 1

    def take(self) -> Rollout:
        """The whole rollout; the buffer is empty afterwards."""
        parts = torch.split(self._block.clone(), self._widths, dim=-1)
        state, reward, state_next, terminated, truncated = parts
        self._added.zero_()
        return Rollout(
            state,
            reward.squeeze(-1),
            state_next,
            terminated.squeeze(-1),
            truncated.squeeze(-1),
        )

    def state(self) -> dict[str, Tensor]:
        """What has been appended so far."""
        return {"block": self._block[:, : int(self._added)], "added": self._added}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self._added.copy_(state["added"])
        self._block[:, : int(self._added)] = state["block"]
