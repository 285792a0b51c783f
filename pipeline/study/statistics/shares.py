"""Shares of seeds: how sure one is, and whether two of them differ.

Nothing is assumed about shares near 0 or 1, where those of a study often are.

Papers.
  Fisher    Fisher 1935, The logic of inductive inference: the exact test
  Wilson    Wilson 1927: the score interval of one share
  Newcombe  Newcombe 1998, Statistics in Medicine 17, 873-890: of a difference
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from pipeline.study.statistics.bootstrap import Floats, Interval

QUANTILE: Final = 1.959963984540054
"""Of the normal distribution, on both sides of which lie 2.5 %."""
SIGNIFICANT: Final = 0.05
"""Below such a p two shares differ."""
POWER: Final = 0.8
"""With what probability enough seeds decide."""
MOST_SEEDS: Final = 1000
"""Nobody trains more."""
ROUNDING: Final = 1e-7
"""How far apart, relatively, probabilities of two tables may be that are alike."""


@dataclass(frozen=True)
class Shares:
    """How many seeds of a run did something, and how many of its comparator."""

    first: int
    of_first: int
    second: int
    of_second: int

    @classmethod
    def of(cls, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Self:
        """Of whether it is true of each seed of either side."""
        return cls(int(first.sum()), len(first), int(second.sum()), len(second))

    @property
    def difference(self) -> Interval:
        """Of the shares, with its 95 % interval (Newcombe's method 10).

        The ends are as far from the difference as those of the two shares together, as
        two sides of a right triangle. It keeps its coverage where a share is 0 or 1.
        """
        one, other = (
            share(self.first, self.of_first),
            share(self.second, self.of_second),
        )
        estimate = one.estimate - other.estimate
        down = math.hypot(one.estimate - one.low, other.high - other.estimate)
        up = math.hypot(one.high - one.estimate, other.estimate - other.low)
        return Interval(estimate, estimate - down, estimate + up)

    @property
    def p(self) -> float:
        """Of Fisher's exact test, two-sided: of all tables no likelier than this."""
        table = fisher(self.of_first, self.of_second)
        return float(table[self.first, self.second])


def share(count: int, seeds: int) -> Interval:
    """A share of seeds with its 95 % interval (Wilson's)."""
    estimate, square = count / seeds, QUANTILE**2
    middle = (count + square / 2) / (seeds + square)
    spread = estimate * (1 - estimate) / seeds + square / (4 * seeds**2)
    reach = QUANTILE * math.sqrt(spread) * seeds / (seeds + square)
    return Interval(estimate, max(0.0, middle - reach), min(1.0, middle + reach))


def fisher(first: int, second: int) -> Floats:
    """The two-sided p of every outcome of two groups of so many: `[count, count]`."""
    one, other = np.arange(first + 1)[:, None], np.arange(second + 1)
    log_masses = _log_choose(first, one) + _log_choose(second, other)
    masses = np.exp(log_masses - _log_choose(first + second, one + other))
    p = np.empty_like(masses)
    for total in range(first + second + 1):  # given which all tables are compared
        row = np.arange(max(0, total - second), min(first, total) + 1)
        mass = masses[row, total - row]
        ascending = np.sort(mass)
        below = np.searchsorted(ascending, mass * (1 + ROUNDING), side="right")
        p[row, total - row] = ascending.cumsum()[below - 1]
    return np.minimum(p, 1.0)


def power(first: float, second: float, seeds: int) -> float:
    """P(Fisher's test finds the first share larger), with so many seeds a side."""
    one, other = (_binomial(seeds, probability) for probability in (first, second))
    found = np.tril(fisher(seeds, seeds) < SIGNIFICANT, -1)  # by more of the first
    return float(one @ found @ other)


def seeds_to_tell(first: float, second: float) -> float:
    """Seeds a side with which Fisher's test has its power; ∞ above `MOST_SEEDS`.

    `first` must be the larger of the two true shares. (Power falls a little from one
    number of seeds to the next now and then; a search by halves does not mind.)
    """
    low, high = 1, 2
    while power(first, second, high) < POWER:
        if high == MOST_SEEDS:
            return math.inf
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(first, second, middle) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def _binomial(seeds: int, probability: float) -> Floats:
    count = np.arange(seeds + 1)
    log_mass = xlogy(count, probability) + xlogy(seeds - count, 1 - probability)
    return np.asarray(np.exp(_log_choose(seeds, count) + log_mass))


def _log_choose(total: int, count: npt.NDArray[np.int64]) -> Floats:
    logs = gammaln(total + 1) - gammaln(count + 1) - gammaln(total - count + 1)
    return np.asarray(logs)
