"""Networks of a whole population, with the member axis first.

All weights of a network are one tensor [member, weight], so that an optimiser or a
target network is one operation, and matrices are views into it. A network is a
description; its weights are an argument.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.config.computation import PLAIN, Computation
from pipeline.core.population.randomness import stream


@dataclass(frozen=True)
class Mlp:
    """A multilayer perceptron with ReLU units, of several inputs and one output.

    Inputs are joined, if there are as many particles of each. Else each enters the
    first layer by its rows of the matrix and the results are added: an input that many
    particles share is multiplied once.
    """

    inputs: tuple[int, ...]
    """Width of each input."""
    hidden: tuple[int, ...]
    """Widths of the hidden layers, at least one."""
    output: int
    computation: Computation = PLAIN

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(in, out) of every matrix: the inputs', then the following layers'."""
        widths = (*self.hidden, self.output)
        first = [(width, widths[0]) for width in self.inputs]
        return first + list(pairwise(widths))

    @property
    def biases(self) -> list[int]:
        """Width of every bias: one for each layer."""
        return [*self.hidden, self.output]

    @property
    def size(self) -> int:
        """Weights of one member."""
        return sum(i * o for i, o in self.shapes) + sum(self.biases)

    def glorot(
        self, seeds: Sequence[int], name: str, *, output: float = 1.0
    ) -> Float[Tensor, "member _"]:
        """Fresh weights: Glorot uniform, biases zero (as in the authors' SQL and SAC).

        Two networks of an agent need two names. `output` multiplies the weights of the
        last layer; at 0 a fresh network says 0 everywhere.
        """
        inputs = len(self.inputs)
        fans = [(sum(self.inputs), self.hidden[0])] * inputs + self.shapes[inputs:]
        bounds = [math.sqrt(6 / (fan_in + fan_out)) for fan_in, fan_out in fans]
        bounds[-1] *= output
        rows = []
        for seed in seeds:
            generator = stream(seed, f"initialisation of {name}")
            matrices = [
                generator.uniform(-bound, bound, size=i * o)
                for bound, (i, o) in zip(bounds, self.shapes, strict=True)
            ]
            rows.append(np.concatenate([*matrices, np.zeros(sum(self.biases))]))
        weights = torch.from_numpy(np.stack(rows))
        return weights.to(self.computation.device, torch.get_default_dtype())

    def __call__(
        self,
        weights: Float[Tensor, "member weight"],
        *inputs: Float[Tensor, "member batch _ _"],
    ) -> Float[Tensor, "member batch particle output"]:
        """Apply every member's network to its own inputs.

        Each input is [member, batch, particle, width]; the particle axis is 1 where the
        input is the same for all particles.
        """
        members = weights.shape[0]
        sizes = [i * o for i, o in self.shapes] + self.biases
        parts = torch.split(weights, sizes, dim=1)
        matrices = [
            part.view(members, i, o)
            for part, (i, o) in zip(parts, self.shapes, strict=False)
        ]
        biases = [part.unsqueeze(1) for part in parts[len(matrices) :]]

        batch = inputs[0].shape[1]
        hidden = biases[0].unsqueeze(2)
        firsts = matrices[: len(inputs)]
        if len({x.shape[2] for x in inputs}) == 1:
            inputs = (torch.cat(inputs, dim=-1),)
            rows = weights[:, : sum(sizes[: len(firsts)])]
            firsts = [rows.view(members, -1, self.hidden[0])]
        for matrix, x in zip(firsts, inputs, strict=True):
            product = torch.bmm(x.reshape(members, -1, x.shape[-1]), matrix)
            hidden = hidden + product.view(members, batch, x.shape[2], -1)
        particles = hidden.shape[2]
        # in place before it is a view: autograd copies whole what a view changes
        flat = hidden.relu_().reshape(members, batch * particles, -1)
        layers = zip(matrices[len(self.inputs) : -1], biases[1:-1], strict=True)
        for matrix, bias in layers:
            flat = self._between(flat, matrix, bias).relu_()
        flat = self._last(flat, matrices[-1], biases[-1])
        return flat.view(members, batch, particles, self.output)

    def _between(
        self,
        x: Float[Tensor, "member row before"],
        matrix: Float[Tensor, "member before after"],
        bias: Float[Tensor, "member 1 after"],
    ) -> Float[Tensor, "member row after"]:
        """A layer between hidden ones: where nearly all of the work is."""
        if self.computation.precision == "float32":
            return torch.bmm(x, matrix).add_(bias)
        return bias + torch.bmm(x.bfloat16(), matrix.bfloat16()).to(x.dtype)

    def _last(
        self,
        x: Float[Tensor, "member row before"],
        matrix: Float[Tensor, "member before output"],
        bias: Float[Tensor, "member 1 output"],
    ) -> Float[Tensor, "member row output"]:
        """The last layer; as a weighted sum where a matrix would have one column.

        MKL takes a third as long for a batched product with one column as for one
        with 128; the sum takes a fifth of that.
        """
        if self.output > 1:
            return torch.bmm(x, matrix).add_(bias)
        return bias + (x * matrix.mT).sum(2, keepdim=True)
