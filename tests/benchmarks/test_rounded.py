"""The stand-in for products in bfloat16 has their numbers."""

import pytest
import torch

from benchmarks import rounded
from pipeline.core.config.computation import PLAIN
from pipeline.core.population.networks import Mlp

SIZES = (2, 9, 16, 8)
"""Members, rows, and units before and after."""


def a_layer(bits):
    """Factors of whole numbers: sums of their products are exact in float32."""
    members, rows, before, after = SIZES
    generator = torch.Generator().manual_seed(0)
    shapes = (members, rows, before), (members, before, after), (members, 1, after)
    return [
        torch.randint(-(2**bits), 2**bits, shape, generator=generator).float()
        for shape in shapes
    ]


def computed(between, bits):
    x, matrix, bias = (part.requires_grad_() for part in a_layer(bits))
    low = PLAIN.model_copy(update={"precision": "bfloat16"})
    y = between(Mlp((16,), (16, 8), 1, low), x, matrix, bias)
    # What comes back has more digits than bfloat16, too.
    generator = torch.Generator().manual_seed(1)
    slope = torch.randint(-(2**9), 2**9, y.shape, generator=generator)
    return [y, *torch.autograd.grad(y, (x, matrix, bias), slope.float())]


@pytest.mark.parametrize("bits", [7, 9], ids=["factors fit", "factors are rounded"])
def test_layers_and_gradients_are_those_of_bfloat16(bits):
    ours, theirs = (computed(way, bits) for way in (rounded.between, Mlp._between))
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other, rtol=0, atol=0)


def test_a_rounded_number_has_eight_binary_digits():
    value = torch.tensor([1.0, 1 + 2**-7, 1 + 2**-8, 1 + 3 * 2**-8, 257.0])
    wanted = torch.tensor([1.0, 1 + 2**-7, 1.0, 1 + 2**-6, 256.0])
    torch.testing.assert_close(rounded.rounded(value), wanted, rtol=0, atol=0)
