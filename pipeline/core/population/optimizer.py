"""Adam with a step size of its own for every member of a population."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Adam (Kingma, Ba 2015, algorithm 1) on one tensor of weights, in place.

    PyTorch's own has one step size per tensor; members of a sweep differ in it. All
    that changes from step to step is in tensors, so that a checkpoint holds it and a
    compiled graph goes on with it.
    """

    def __init__(
        self,
        weights: Float[Tensor, "member weight"],
        learning_rate: Float[Tensor, " member"],
    ) -> None:
        self._weights = weights
        self._learning_rate = learning_rate.unsqueeze(-1)
        self._factor = 1.0
        self._scale = torch.ones_like(self._learning_rate[:1])
        self._mean = torch.zeros_like(weights)
        self._square = torch.zeros_like(weights)
        self._count = torch.zeros_like(self._scale)

    def scale(self, factor: float) -> None:
        """What the step sizes are multiplied by from now on."""
        if factor != self._factor:
            self._factor = factor
            self._scale.fill_(factor)

    def step(self, gradient: Float[Tensor, "member weight"]) -> None:
        """Descend the gradient once."""
        self._count += 1
        self._mean.lerp_(gradient, 1 - FIRST)
        self._square.mul_(SECOND).addcmul_(gradient, gradient, value=1 - SECOND)
        # 1 - βⁿ, exact to the last digits also for β near 1.
        first, second = (
            -torch.expm1(self._count * math.log(beta)) for beta in (FIRST, SECOND)
        )
        # Side by side in memory, or a compiled program has them anew for every weight.
        rate = self._scale * self._learning_rate / first
        both = torch.cat([rate, second.rsqrt().expand_as(rate)], dim=1)
        rate, unbiased = torch.split(both, 1, dim=1)
        scale = self._square.sqrt().mul_(unbiased).add_(EPSILON)
        self._weights.sub_(rate * self._mean.div(scale))

    def state(self) -> dict[str, Tensor]:
        """The tensors that go on from step to step."""
        return {"mean": self._mean, "square": self._square, "count": self._count}


def learnable(weights: Tensor) -> Tensor:
    """The same weights, as a leaf that gradients are taken with respect to."""
    return weights.detach().requires_grad_()
