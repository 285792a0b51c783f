"""The matrix products that an update cannot do without: the floor of its time.

`docs/benchmarks.md` derives them on paper. Only products are counted: activations,
losses, kernels, optimisers and random numbers come on top, in time but not here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from benchmarks.speed.subject import ACTIONS, STATES, Case, Run


@dataclass(frozen=True)
class Product:
    """Products of a matrix [rows, inner] and a matrix [inner, columns]."""

    count: int
    """Of matrices side by side: members, or their critics."""
    rows: int
    inner: int
    columns: int
    turned: Literal["neither", "left", "right"]
    """Which factor lies in memory as its transpose."""

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.count * self.rows * self.inner * self.columns

    @property
    def of_matrices(self) -> bool:
        """Whether no factor is a vector, as in the last layer of a critic."""
        return min(self.rows, self.inner, self.columns) > 1


@dataclass(frozen=True)
class Net:
    """A network of every member, or of every critic of every member.

    States enter the first layer by a matrix of their own, actions or noise (if the
    network has such an input) by another.
    """

    count: int
    hidden: tuple[int, ...]
    action: int
    """Width of the input that differs between particles; 0: there is none."""
    output: int

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(in, out) of every layer but the first."""
        return list(pairwise((*self.hidden, self.output)))

    def forward(self, states: int, points: int) -> Iterator[Product]:
        """The output at `points`, several of which may share one of the `states`."""
        first = self.hidden[0]
        yield Product(self.count, states, STATES, first, "neither")
        if self.action:
            yield Product(self.count, points, self.action, first, "neither")
        for i, o in self.layers:
            yield Product(self.count, points, i, o, "neither")

    def weight_gradients(self, states: int, points: int) -> Iterator[Product]:
        """Of every matrix; gradients of one state's points are added up first."""
        for product in self.forward(states, points):
            rows, inner, columns = product.inner, product.rows, product.columns
            yield Product(self.count, rows, inner, columns, "left")

    def hidden_gradients(self, points: int) -> Iterator[Product]:
        """From the output back to the first layer."""
        for i, o in reversed(self.layers):
            yield Product(self.count, points, o, i, "right")

    def action_gradients(self, points: int) -> Iterator[Product]:
        """From the output back to the action."""
        yield from self.hidden_gradients(points)
        yield Product(self.count, points, self.hidden[0], self.action, "right")

    def learning(self, states: int, points: int) -> Iterator[Product]:
        """Weight gradients, and the input gradients that they need."""
        yield from self.hidden_gradients(points)
        yield from self.weight_gradients(states, points)


def products(case: Case) -> list[Product]:
    """What one update of a population must multiply."""
    match case.learner:
        case "sql":
            return list(_sql(case))
        case "sac":
            return list(_actor_critic(case, critics=2, outputs=2 * ACTIONS))
        case "ddpg":
            return list(_actor_critic(case, critics=1, outputs=ACTIONS))


def matrix_products(case: Case) -> list[Product]:
    """Of those the ones of matrices: an update writes the others as sums."""
    return [product for product in products(case) if product.of_matrices]


def flops(necessary: Iterable[Product]) -> int:
    """Multiplications and additions of all products."""
    return sum(product.flops for product in necessary)


def _sql(case: Case) -> Iterator[Product]:
    batch = case.batch
    particles = batch * case.particles  # fixed, updated, or of the soft value
    hidden = (case.width, case.width)
    critic = Net(case.critics * case.members, hidden, ACTIONS, 1)
    sampler = Net(case.members, hidden, ACTIONS, ACTIONS)
    yield from critic.forward(batch, particles)  # V(s')
    yield from critic.forward(batch, batch)
    yield from critic.learning(batch, batch)
    yield from sampler.forward(batch, 2 * particles)
    yield from critic.forward(batch, particles)  # ∇Q at the fixed particles
    yield from critic.action_gradients(particles)
    yield from sampler.learning(batch, particles)  # through the updated particles only


def _actor_critic(case: Case, *, critics: int, outputs: int) -> Iterator[Product]:
    batch = case.batch
    hidden = (case.width, case.width)
    critic = Net(critics * case.members, hidden, ACTIONS, 1)
    actor = Net(case.members, hidden, 0, outputs)
    yield from actor.forward(batch, batch)  # a'
    yield from critic.forward(batch, batch)  # Q(s', a')
    yield from critic.forward(batch, batch)
    yield from critic.learning(batch, batch)
    yield from actor.forward(batch, batch)
    yield from critic.forward(batch, batch)  # of the action that the policy takes
    yield from critic.action_gradients(batch)
    yield from actor.learning(batch, batch)


def multiplying(necessary: list[Product]) -> Run:
    """The bare products, into memory that is there; one call, all of them.

    Products of one shape share their memory, which is as kind to caches as can be.
    """
    factors = {product: _factors(product) for product in necessary}

    def run(calls: int) -> None:
        for _ in range(calls):
            for product in necessary:
                left, right, out = factors[product]
                torch.bmm(left, right, out=out)

    return run


def _factors(product: Product) -> tuple[Tensor, Tensor, Tensor]:
    """Both factors, as they lie in memory in an update, and room for the result."""
    left = torch.randn(product.count, product.rows, product.inner)
    right = torch.randn(product.count, product.inner, product.columns)
    match product.turned:
        case "left":
            left = left.mT.contiguous().mT
        case "right":
            right = right.mT.contiguous().mT
        case "neither":
            pass
    return left, right, torch.empty(product.count, product.rows, product.columns)
