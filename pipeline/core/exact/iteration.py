"""When to stop sweeping: Bellman operators, soft and hard, on tables and on grids."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy import ndarray


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
    if not tolerance > 0:
        raise ValueError(f"The tolerance is {tolerance}; it must be above 0.")
    enough = math.inf
    for sweep, (before, now) in enumerate(pairwise(sweeps)):
        moved = float(np.abs(now - before).max())
        error = moved * (horizon - 1)
        if error <= tolerance:
            return now
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
