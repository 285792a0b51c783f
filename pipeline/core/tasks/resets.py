"""What all vectorised environments do when a part of them starts again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool
from numpy import ndarray


def restarting(
    generators: list[np.random.Generator],
    seed: int | Sequence[int | None] | None,
    options: dict[str, Any] | None,
) -> Bool[ndarray, " environment"]:
    """Which environments start again: all, or those of `options["reset_mask"]`.

    Of these, generators for which there is a seed are made anew; one number stands for
    itself and those that follow it.
    """
    count = len(generators)
    seeds = range(seed, seed + count) if isinstance(seed, int) else seed
    mask = (options or {}).get("reset_mask", np.ones(count, dtype=bool))
    if seeds is not None:
        for index in np.flatnonzero(mask).tolist():
            if seeds[index] is not None:
                generators[index] = np.random.default_rng(seeds[index])
    return np.asarray(mask)
