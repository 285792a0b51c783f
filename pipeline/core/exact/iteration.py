"""When to stop sweeping: Bellman operators, soft and hard, on tables and on grids."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

TOLERANCE = 1e-6
"""Of V, in reward units, for a grid that is as it is: no error of the grid is in it."""


def settled(
    sweeps: Iterator[Float[ndarray, "*shape"]], *, horizon: float, tolerance: float
) -> Float[ndarray, "*shape"]:
    """The first sweep whose distance to the fixed point is guaranteed to be small.

    After sweeps that moved no entry by more than d, the fixed point is within
    d γ / (1 - γ).

    Args:
        sweeps: Values after each sweep of an operator that is a contraction.
        horizon: 1 / (1 - γ), which bounds the distance, in environment steps.
        tolerance: The largest error of any entry, in reward units.

    Raises:
        ValueError: The tolerance is not positive; or float64 cannot resolve it, which
            is so when it is less than the spacing of numbers as large as the values
            makes of it over the horizon, or when the contraction's own number of
            sweeps is used up.
    """
    now, _ = _watched(
        sweeps,
        lambda change: float(np.abs(change).max()),
        horizon=horizon,
        tolerance=tolerance,
    )
    return now


def bracketed(
    sweeps: Iterator[Float[ndarray, "*shape"]],
    *,
    horizon: float,
    tolerance: float,
    ends: bool,
    where: Bool[ndarray, "*shape"] | None = None,
) -> Float[ndarray, "*shape"]:
    """The fixed point between two bounds that every sweep gives (MacQueen 1966).

    After a sweep that moved every entry by at least l and at most u, the fixed point is
    between γ / (1 - γ) times l and u above it, because an operator T that never ends
    has T(V + c) = T V + γ c for constants c, and one that ends moves by less. So what
    all entries have in common need not be waited for: without an end that takes nearly
    all of the sweeps.

    Args:
        sweeps: Values after each sweep of a Bellman operator.
        horizon: 1 / (1 - γ), in environment steps.
        tolerance: The largest error of any entry, in reward units.
        ends: Whether episodes can end.
        where: Entries that matter, if not all; none of them depends on another one.

    Raises:
        ValueError: As `settled`.
    """

    def bounds(change: Float[ndarray, "*shape"]) -> tuple[float, float]:
        seen = change if where is None else change[where]
        low, high = float(seen.min()), float(seen.max())
        return (min(low, 0.0), max(high, 0.0)) if ends else (low, high)

    def apart(change: Float[ndarray, "*shape"]) -> float:
        low, high = bounds(change)
        return (high - low) / 2

    now, change = _watched(sweeps, apart, horizon=horizon, tolerance=tolerance)
    return np.asarray(now + (horizon - 1) * sum(bounds(change)) / 2)


def _watched(
    sweeps: Iterator[Float[ndarray, "*shape"]],
    moved_by: Callable[[Float[ndarray, "*shape"]], float],
    *,
    horizon: float,
    tolerance: float,
) -> tuple[Float[ndarray, "*shape"], Float[ndarray, "*shape"]]:
    """The first sweep that moved by little enough, and its changes."""
    if not tolerance > 0:
        raise ValueError(f"The tolerance is {tolerance}; it must be above 0.")
    enough = math.inf
    for sweep, (before, now) in enumerate(pairwise(sweeps)):
        moved = moved_by(now - before)
        error = moved * (horizon - 1)
        if error <= tolerance:
            return now, now - before
        if sweep == 0:  # the horizon: some sweeps more than without rounding
            enough = math.log(tolerance / error / horizon) / math.log1p(-1 / horizon)
        rounding = float(np.spacing(np.abs(now).max())) * (horizon - 1)
        if sweep > enough + 1 or rounding > tolerance:
            break
    raise ValueError(
        f"The tolerance {tolerance} is finer than float64 resolves for values of "
        f"{np.abs(now).max():.3g} and more at a horizon of {horizon:.3g} steps: after "
        f"{sweep + 1} sweeps they still move by {moved:.3g}, so the guarantee is "
        f"{error:.3g}. Allow a larger error, or take a smaller discount."
    )
