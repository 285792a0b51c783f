"""The least divergence of one squashed Gaussian from an oracle's policy at a state.

What a policy a = tanh(μ + σ ε) with independent ε ~ N(0, 1) along each axis can do at
most, if its parameters at this state are chosen freely. A learner that comes closer
does what no such Gaussian can do.
"""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import logsumexp, ndtr

from pipeline.core.exact.oracle import Oracle

STARTS = tuple(product((-1.0, -0.5, 0.0, 0.5, 1.0), (-1.0, -0.5, 0.0, 0.5, 1.0)))
"""μ of both axes with which searches begin."""
WIDTHS = -2.0, 0.0
"""log σ of both axes with which they do."""
LIMITS = (-4.0, 4.0), (-4.0, 4.0), (-5.0, 2.0), (-5.0, 2.0)
"""Of μ and of log σ, of both axes: tanh 4 is .001 from the edge of the box."""
ERRORS, WEIGHTS = np.polynomial.hermite_e.hermegauss(64)
"""Gauss–Hermite nodes ε and weights of means over N(0, 1), after division by √(2π)."""


@dataclass(frozen=True)
class BestGaussian:
    """The closest Gaussian that was found."""

    reverse_kl: float
    """KL(Gaussian ‖ oracle), in nats."""
    mean: Float[ndarray, " 2"]
    """μ, before the squashing."""
    deviation: Float[ndarray, " 2"]
    """σ, before the squashing."""


def best_gaussian(
    oracle: Oracle, state: Float[ndarray, " state"], *, cells: int
) -> BestGaussian:
    """Minimise KL(N(μ, σ²) through tanh ‖ π*(· | s)) over μ and σ.

        KL = -H - Σᵢ pᵢ log π*(aᵢ | s)

    H, the entropy of the squashed Gaussian, is that of N(μ, σ²) and the mean of
    log |det da/du| (SAC 2018 Eq. 21), by quadrature. pᵢ are its masses in `cells`²
    equal cells, from the normal distribution function, and aᵢ the middles of these. The
    density is normalised on the same middles, so that the error of V* does not enter.

    The divergence has several minima. L-BFGS begins at fifty places, always the same;
    what it finds is an upper bound of the least.

    Args:
        oracle: Of a task with two actions.
        state: Where.
        cells: Along each axis. The error is of second order in their width: it is
            c/α · (2 / cells)² / 12 for Q = -c ‖a‖², in nats.
    """
    from scipy.optimize import minimize  # .1 s that a check need not pay

    edges = np.linspace(-1, 1, cells + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    action = np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1)
    energy = oracle.q(state[None], action.reshape(1, -1, 2))[0] / oracle.temperature
    log_density = energy - logsumexp(energy) + 2 * math.log(cells / 2)
    objective = _Divergence(log_density.reshape(cells, cells), edges)
    found = [
        minimize(objective, (*start, width, width), method="L-BFGS-B", bounds=LIMITS)
        for start in STARTS
        for width in WIDTHS
    ]
    best = min(found, key=lambda each: float(each.fun))
    return BestGaussian(float(best.fun), best.x[:2], np.exp(best.x[2:]))


class _Divergence:
    """KL of a squashed Gaussian to a density that is known at the middles of cells."""

    def __init__(
        self, log_density: Float[ndarray, "x y"], edges: Float[ndarray, " edge"]
    ) -> None:
        self._log_density = log_density
        with np.errstate(divide="ignore"):  # the outer ones are at infinity
            self._edges = np.arctanh(edges)

    def __call__(self, parameters: Float[ndarray, " 4"]) -> float:
        mean, deviation = parameters[:2, None], np.exp(parameters[2:, None])
        x, y = np.diff(ndtr((self._edges - mean) / deviation), axis=1)
        return float(-_entropy(mean, deviation) - x @ self._log_density @ y)


def _entropy(mean: Float[ndarray, "2 1"], deviation: Float[ndarray, "2 1"]) -> float:
    """Of a = tanh(u), u ~ N(μ, σ²), with respect to volume in [-1, 1]², in nats."""
    u = mean + deviation * ERRORS
    log_det = 2 * (math.log(2) - u - np.logaddexp(0, -2 * u))
    gaussian = np.log(deviation).sum() + math.log(2 * math.pi * math.e)
    return float(gaussian + (log_det @ WEIGHTS).sum() / math.sqrt(2 * math.pi))
