"""A soft-optimal policy in the box of actions, from its Q-function.

V(s) = α log ∫ exp(Q(s, a) / α) da over [-1, 1]² (SQL Eqs. 5, 6, 9), however Q is known.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.special import logsumexp, ndtr

from pipeline.core.exact.backup import action_grid, blocks, log_weights
from pipeline.core.exact.distance import quadrature

CELLS = 40
"""Along each axis of an integral by Gauss and Legendre, at least."""


class BoxPolicy(ABC):
    """What follows from Q*: V*, π*, its entropy and its actions."""

    if TYPE_CHECKING:  # fields of those that are one

        @property
        def temperature(self) -> float:
            """α, in reward units per nat."""

    @property
    @abstractmethod
    def between_actions(self) -> float:
        """Distance between nodes of actions."""

    @property
    @abstractmethod
    def is_narrow(self) -> bool:
        """Whether the density hardly meets the edges of the box.

        The trapezoidal rule on the grid of actions is then as good as any. Otherwise it
        errs there, and V* and entropies are integrals by Gauss and Legendre instead,
        so fine that walls and the edges of targets, where it jumps, do no harm.
        Actions are drawn on the grid nevertheless.
        """

    @abstractmethod
    def q(
        self, state: Float[ndarray, "n state"], action: Float[ndarray, "#n k 2"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a), in reward units; an action of all states is given once."""

    @cached_property
    def actions(self) -> Float[ndarray, "k 2"]:
        """The grid of actions, over which is integrated."""
        return action_grid(self.between_actions).reshape(-1, 2)

    @cached_property
    def log_weights(self) -> Float[ndarray, " k"]:
        """Log of the weights of the trapezoidal rule."""
        one = log_weights(self.between_actions)
        return np.asarray(np.add.outer(one, one).ravel())

    @cached_property
    def _rule(self) -> tuple[Float[ndarray, "k 2"], Float[ndarray, " k"]]:
        """Nodes and log-weights of integrals."""
        if self.is_narrow:
            return self.actions, self.log_weights
        nodes, weights = quadrature(max(CELLS, round(2 / self.between_actions)))
        return nodes, np.log(weights)

    def value(self, state: Float[ndarray, "n state"]) -> Float[ndarray, " n"]:
        """V*(s) = α log ∫ exp(Q*(s, a) / α) da, in reward units (SQL Eq. 5)."""
        parts = [self._log_density(block, *self._rule)[1] for block in blocks(state)]
        return np.concatenate(parts)

    def entropy(self, state: Float[ndarray, "n state"]) -> Float[ndarray, " n"]:
        """Entropy of π*(· | s) with respect to volume in [-1, 1]², in nats."""
        parts = []
        for block in blocks(state):
            log_density, _ = self._log_density(block, *self._rule)
            mass = np.exp(log_density + self._rule[1])
            parts.append(-(mass * log_density).sum(axis=1))
        return np.concatenate(parts)

    def act(
        self, state: Float[ndarray, "n state"], noise: Float[ndarray, "n 2"]
    ) -> Float[ndarray, "n 2"]:
        """Draws from π*, a function of standard normal noise.

        The density is taken as constant around each node of the grid of actions; the
        first number chooses along x, the second along y given x.
        """
        uniform = ndtr(noise)
        drawn = []
        for rows in blocks(np.arange(len(state))):
            log_density, _ = self._log_density(
                state[rows], self.actions, self.log_weights
            )
            side = round(np.sqrt(len(self.actions)))
            mass = np.exp(log_density + self.log_weights).reshape(-1, side, side)
            x, column = _inverse(mass.sum(axis=2), uniform[rows, 0])
            given_x = np.take_along_axis(mass, column[:, None, None], axis=1)[:, 0]
            y, _ = _inverse(given_x, uniform[rows, 1])
            drawn.append(np.stack([x, y], axis=1))
        return np.concatenate(drawn)

    def _log_density(
        self,
        state: Float[ndarray, "n state"],
        action: Float[ndarray, "k 2"],
        log_weights: Float[ndarray, " k"],
    ) -> tuple[Float[ndarray, "n k"], Float[ndarray, " n"]]:
        """Log-density of π* at some actions, and V* by the weights of these."""
        q = self.q(state, action[None]) / self.temperature
        log_sum = logsumexp(q + log_weights, axis=1)
        return q - log_sum[:, None], self.temperature * log_sum


def _inverse(
    mass: Float[ndarray, "n k"], uniform: Float[ndarray, " n"]
) -> tuple[Float[ndarray, " n"], Int[ndarray, " n"]]:
    """Inverse distribution function of cells between -1 and 1, and the cell's index.

    The cells are those of the trapezoidal rule: the two outer ones are half as wide.
    """
    nodes = np.linspace(-1, 1, mass.shape[1])
    middles = (nodes[1:] + nodes[:-1]) / 2
    edges = np.concatenate([[-1.0], middles, [1.0]])
    sums = mass.cumsum(axis=1)
    sums /= sums[:, -1:]
    cell = np.minimum((sums <= uniform[:, None]).sum(axis=1), mass.shape[1] - 1)
    above = np.take_along_axis(sums, cell[:, None], axis=1)[:, 0]
    inside = np.take_along_axis(mass, cell[:, None], axis=1)[:, 0] / mass.sum(axis=1)
    share = 1 - (above - uniform) / np.maximum(inside, np.finfo(float).tiny)
    width = edges[cell + 1] - edges[cell]
    return edges[cell] + np.clip(share, 0, 1) * width, cell
