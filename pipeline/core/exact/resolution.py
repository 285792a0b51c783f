"""Whether a grid of the plane shows what matters: walls, passages, actions."""

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact.plane import Plane

RESOLVED: Final = 0.8
"""Spacings that the standard deviation of exp(-c ‖a‖² / α) must have at least. The
trapezoidal rule errs by the share exp(-2π² · 0.8²) = 3·10⁻⁶ there, in the integral over
actions alone. The edge of a goal, where the reward jumps and episodes end, is between
two nodes: that errs by the first order of the spacing, and most where α is small. At
α = .1 V*(0) is .2 % higher with .025 than with .05, at α = 1 by .1 %."""
ACROSS: Final = 3
"""Spacings that a gap between walls must have at least: two nodes are in it, then. So
are they with one less at the end of the plane, where nodes are."""
NARROW: Final = 0.5
"""Standard deviation of exp(-c ‖a‖² / α) up to which what the edges of the box cut off
does not matter, so that the trapezoidal rule is as good as it is for a Gaussian."""
EDGE: Final = 0.4
"""Of α: how far nodes of actions may be apart where what a move is worth changes by 1
across a unit of action: the trapezoidal rule errs by the share .4² / 12 = 1.3 %."""
MOST: Final = 10**8
"""Pairs of a state and an action that are kept: some 20 to 60 bytes each."""
FINEST: Final = 1000
"""Nodes per unit of length, beyond which no grid is suggested."""


def too_coarse(plane: Plane, temperature: float, spacing: float) -> str | None:
    """Why a grid cannot be used, in a sentence; None if it can.

    Args:
        plane: The task.
        temperature: α, in reward units per nat.
        spacing: h, of positions and actions.
    """
    if not 0 < spacing <= 1:
        return f"a spacing must be above 0 and at most 1, found {spacing:g}"
    needed, reason = min(_details(plane, temperature))
    better = _fitting(plane, min(needed, spacing))
    for what, reach in (("actions", 1.0), ("positions", plane.bound)):
        if not is_whole(reach / spacing):
            return (
                f"{what} reach from {-reach:g} to {reach:g}, so {reach:g} / spacing "
                f"must be a whole number, found {reach / spacing:g}"
                + (f"; try {better:g}" if better else "")
            )
    if spacing > needed * (1 + 1e-9):
        return f"{reason}, which a spacing of {spacing:g} does not resolve" + (
            f"; {better:.4g} does" if better else ""
        )
    return too_large(_pairs(plane, temperature, spacing))


def too_large(pairs: float) -> str | None:
    """Why so many pairs of a state and an action cannot be kept; None if they can."""
    if pairs <= MOST:
        return None
    return (
        f"{pairs:.2g} pairs of a state and an action are too many, at most {MOST:.2g} "
        "can be kept; use a larger spacing or a higher temperature"
    )


def _pairs(plane: Plane, temperature: float, spacing: float) -> float:
    """States whose actions are looked at by themselves × actions, at most."""
    positions, actions = (
        (2 * reach / spacing + 1) ** 2 for reach in (plane.bound, 1.0)
    )
    if plane.pays_moves:
        finely = (2 / min(EDGE * temperature, spacing) + 1) ** 2
        return max(positions * actions, finely)
    low, high = plane.walls[:, 0] - 1, plane.walls[:, 1] + 1
    near = np.minimum(high, plane.bound) - np.maximum(low, -plane.bound)
    share = min(float(near.prod(axis=1).sum()) / (2 * plane.bound) ** 2, 1.0)
    return positions * max(share * actions, 1.0)


def is_narrow(plane: Plane, temperature: float) -> bool:
    """Whether effort keeps actions from the edges of the box."""
    return _spread(plane, temperature) <= NARROW


def _spread(plane: Plane, temperature: float) -> float:
    """Standard deviation of exp(-c ‖a‖² / α)."""
    if plane.effort == 0:
        return math.inf
    return math.sqrt(temperature / (2 * plane.effort))


def _details(plane: Plane, temperature: float) -> Iterator[tuple[float, str]]:
    """What has to be seen: the largest spacing that shows it, and what it is."""
    if (width := _spread(plane, temperature)) < math.inf:
        yield (
            width / RESOLVED,
            f"at temperature {temperature:g} actions spread by {width:.2g}",
        )
    yield plane.finest / 2, f"the bump is {plane.finest:g} wide"
    for box in plane.walls:
        thickness = float((box[1] - box[0]).min())
        yield thickness, f"the wall {_named(box)} is {thickness:.4g} thick"
        beside = plane.bound + np.stack([box[0], -box[1]])
        for gap in beside[beside > 0].tolist():
            yield (
                gap / (ACROSS - 1),
                f"the wall {_named(box)} is {gap:.4g} from the end of the plane",
            )
    for one, other in combinations(plane.walls, 2):
        # They touch if their sides do along both axes.
        gap = float(np.maximum(one[0] - other[1], other[0] - one[1]).max())
        if gap > 0:
            yield (
                gap / ACROSS,
                f"the walls {_named(one)} and {_named(other)} are {gap:.4g} apart",
            )


def _named(box: Float[ndarray, "2 2"]) -> str:
    (left, bottom), (right, top) = box.tolist()
    return f"from ({left:g}, {bottom:g}) to ({right:g}, {top:g})"


def is_whole(number: float) -> bool:
    """Whether a number is a whole one but for rounding."""
    return abs(number - round(number)) <= 1e-6


def _fitting(plane: Plane, needed: float) -> float | None:
    """The largest spacing up to the needed one that nodes allow; None if none does."""
    for steps in range(math.ceil(1 / needed - 1e-9), FINEST):
        if is_whole(plane.bound * steps):
            return 1 / steps
    return None
