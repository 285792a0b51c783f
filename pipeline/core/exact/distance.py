"""How far the actions of a policy are from those of an oracle, from draws alone.

A policy that can only be sampled has no density to compare. Both sides are therefore
reduced to the masses of `cells`² equal cells of [-1, 1]²: the policy's pᵢ by counting n
independent draws, the oracle's qᵢ by integrating exp((Q - V)/α) over each cell. What is
estimated is the distance between *these* masses. It never exceeds the distance of the
densities (data-processing inequality) and tends to it as the cells get smaller, while
the bias and the error of the estimate shrink with n and grow with the number of cells.

Every estimate comes with a standard error by the delta method: the standard deviation,
over the draws, of the derivative of the distance with respect to their cell's mass,
over √n. Where the two distributions agree that derivative is constant, the estimate is
no longer Gaussian and its interval is wider than its name.

Everywhere `action` are independent draws of the policy, and `masses` are q, from
`oracle_masses`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from pipeline.core.exact.oracle import Oracle

NODES = 4
"""Gauss–Legendre nodes per cell and axis, exact for polynomials of degree 7."""
RESOLVED = 0.01
"""How far from 1 the oracle's masses may sum."""
PSEUDO_COUNT = 0.5
"""Added to every count in the forward divergence."""
TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Estimate:
    """A number read off a sample."""

    value: float
    standard_error: float


def place_name(state: Iterable[float]) -> str:
    """`2.5:2.5`: a position in the name of a metric, in characters that MLflow has."""
    return ":".join(f"{number:g}" for number in state)


def cell_counts(
    action: Float[ndarray, "n 2"], cells: int
) -> Int[ndarray, "cells cells"]:
    """How many actions are in each of `cells`² equal cells of [-1, 1]².

    Raises:
        ValueError: An action is outside of the box.
    """
    if not (np.abs(action) <= 1).all():
        raise ValueError(
            f"actions must be in [-1, 1]², but one is {np.abs(action).max()} from 0 "
            "along an axis: divide them by the half-width of the task's box"
        )
    index = np.minimum((0.5 * (action + 1) * cells).astype(np.int64), cells - 1)
    flat = np.bincount(index[:, 0] * cells + index[:, 1], minlength=cells**2)
    return flat.reshape(cells, cells)


def cell_masses(
    action: Float[ndarray, "n 2"], cells: int
) -> Float[ndarray, "cells cells"]:
    """Share of the actions in each of `cells`² equal cells of [-1, 1]²."""
    return cell_counts(action, cells) / len(action)


def quadrature(
    cells: int,
) -> tuple[Float[ndarray, "node 2"], Float[ndarray, " node"]]:
    """Points and weights that integrate over [-1, 1]², cell by cell along each axis."""
    points, weights = np.polynomial.legendre.leggauss(NODES)
    corners = np.linspace(-1, 1, cells, endpoint=False)
    axis = (corners[:, None] + (points + 1) / cells).ravel()
    along = np.tile(weights / cells, cells)
    nodes = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return nodes, np.outer(along, along).ravel()


def oracle_masses(
    oracle: Oracle, state: Float[ndarray, " state"], cells: int
) -> Float[ndarray, "cells cells"]:
    """Probability that the oracle's action is in each cell, at one state.

    Four Gauss–Legendre nodes per cell and axis; normalised at last, so that the error
    of the oracle's V* does not enter.

    Raises:
        ValueError: The masses sum to something else than 1 within 0.01: the density is
            too sharp for these nodes, or Q* and V* do not belong together.
    """
    nodes, weights = quadrature(cells)
    states = state[None]
    advantage = oracle.q(states, nodes[None])[0] - oracle.value(states)[0]
    masses = np.exp(advantage / oracle.temperature) * weights
    total = float(masses.sum())
    if not abs(total - 1) <= RESOLVED:
        raise ValueError(
            f"the oracle's density integrates to {total:.4g} over {cells} by {cells} "
            f"cells, not to 1 within {RESOLVED}: use more cells, and if that does not "
            "help, a finer grid for the oracle"
        )
    per_cell = masses.reshape(cells, NODES, cells, NODES).sum(axis=(1, 3))
    return np.asarray(per_cell / total)


def reverse_kl(
    action: Float[ndarray, "n 2"], masses: Float[ndarray, "cells cells"]
) -> Estimate:
    """KL(policy ‖ oracle) = Σ pᵢ log(pᵢ/qᵢ) between cells, in nats.

    With the shares of the draws for p, less (occupied cells - 1) / (2n): the plug-in
    entropy is that much too small (Miller and Madow), but for the cells that n draws
    are too few to find. By chance the estimate may be below 0. A cell whose mass
    underflows counts with the smallest number, e⁻⁷⁰⁸.

    A deterministic policy has -log q of its one cell. That is finite for any cells, but
    log 4 more with every halving of their sides: the divergence of densities is
    infinite.
    """
    share = cell_masses(action, len(masses))
    there = share > 0
    ratio = np.log(share[there]) - np.log(np.maximum(masses[there], TINY))
    plug_in = float((share[there] * ratio).sum())
    bias = (there.sum() - 1) / (2 * len(action))
    error = _standard_error(ratio, share[there], len(action))
    return Estimate(plug_in - float(bias), error)


def forward_kl(
    action: Float[ndarray, "n 2"], masses: Float[ndarray, "cells cells"]
) -> Estimate:
    """KL(oracle ‖ policy) = Σ qᵢ log(qᵢ/pᵢ) between cells, in nats.

    With pᵢ = (nᵢ + ½)/(n + ½) for a cell of nᵢ draws. The half removes the bias of
    order 1/n from cells with several draws and keeps empty ones finite: they count with
    1/(2n + 1), so that the estimate is at most log(2n + 1) - H(q). Where the policy
    never does what the oracle does, the true divergence may be larger without limit.
    The pᵢ sum to 1 + (cells² - 1)/(2n + 1): where there is no distance the estimate may
    be below 0, by at most the log of that.
    """
    draws = len(action)
    counts = cell_counts(action, len(masses))
    share = (counts + PSEUDO_COUNT) / (draws + PSEUDO_COUNT)
    log_masses = np.log(np.maximum(masses, TINY))
    value = float((masses * (log_masses - np.log(share))).sum())
    error = _standard_error(masses / share, counts / draws, draws)
    return Estimate(value, error)


def total_variation(
    action: Float[ndarray, "n 2"], masses: Float[ndarray, "cells cells"]
) -> Estimate:
    """TV(policy, oracle) = ½ Σ |pᵢ - qᵢ| between cells, in [0, 1].

    Shares of n draws are never those of the policy, so that plugging them in says too
    much: up to √(2 cells² / (π n)) / 2 where there is no distance at all. Instead, each
    half of the draws (every other one) measures how much more probable than the oracle
    the policy makes the cells that are over-full in the *other* half. No set of cells
    has more than the distance: the mean of both halves never overstates it, and falls
    short by what the other half mistakes, little with n > 50 cells². The interval is
    about that mean.

    Raises:
        ValueError: There is but one draw, or none.
    """
    cells, draws = len(masses), len(action)
    if draws < 2:
        raise ValueError(f"the total variation needs at least 2 draws, found {draws}")
    shares = [cell_masses(action[start::2], cells) for start in (0, 1)]
    values = [
        float((mine - masses)[other > masses].sum())
        for mine, other in (shares, shares[::-1])
    ]
    share = cell_masses(action, cells)
    over = (share > masses).astype(float)
    error = _standard_error(over, share, draws)
    return Estimate(sum(values) / 2, error)


def _standard_error(
    influence: Float[ndarray, "*cells"], share: Float[ndarray, "*cells"], draws: int
) -> float:
    """Of a mean over draws of something that depends on their cell."""
    mean = (share * influence).sum()
    variance = (share * (influence - mean) ** 2).sum()
    return math.sqrt(float(variance) / draws)
