"""Products in bfloat16 where no hardware has them: the same numbers, in float32.

A product in bfloat16 rounds its factors, adds up in single precision and rounds the
sum; its two gradients are such products again. Rounding before and after a product in
single precision does the same, and takes as long as that product.
Not for compiled graphs: the compiler drops a conversion that is undone at once.
"""

import torch
from torch import Tensor

from pipeline.core.population.networks import Mlp


def between(self: Mlp, x: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
    """Stands in for `Mlp._between` of `precision: bfloat16`."""
    return bias + rounded(torch.bmm(rounded(x), rounded(matrix)))


def rounded(x: Tensor) -> Tensor:
    """To what bfloat16 has; on the way back, the gradient as well."""
    return x.bfloat16().to(x.dtype)
