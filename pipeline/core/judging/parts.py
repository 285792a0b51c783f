"""Many states of every member, a part after another through its networks."""

from collections.abc import Iterator

import torch

from pipeline.core.agents.shapes import Actions, States

AT_ONCE = 2048
"""Rows of all members in a part: soft Q-learning acts twice as fast where a core's
cache holds what is computed. It is for speed and memory only."""
WHOLE = 16
"""Rows of each member are a multiple: fewer than a vector of the processor's round
differently."""


def parts(state: States, action: Actions) -> Iterator[tuple[States, Actions]]:
    """Some states of every member at a time, each with an action or its noise."""
    rows = WHOLE * max(1, AT_ONCE // (WHOLE * len(action)))
    yield from zip(
        torch.split(state, rows, dim=1), torch.split(action, rows, dim=1), strict=True
    )
