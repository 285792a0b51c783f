"""Points that cover a box evenly: better than independent ones for a mean over it."""

import torch
from jaxtyping import Float
from torch import Tensor


def lattice(count: int, dims: int) -> Float[Tensor, "count dims"]:
    """The first `count` points of an additive recurrence in [0, 1)^d, d = `dims`.

        x_k = k (φ⁻¹, φ⁻², …, φ⁻ᵈ) mod 1,   φ the positive root of φ^(d+1) = φ + 1

    (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"). For d = 1
    φ is the golden ratio. Shifted by a uniform number modulo 1, each point is uniform,
    so that a mean over the points is unbiased, while its variance falls faster than
    1 / count.
    """
    ratio = 2.0
    for _ in range(64):  # a contraction: each step gains at least one binary digit
        ratio = (1 + ratio) ** (1 / (dims + 1))
    exponents = torch.arange(1, dims + 1, dtype=torch.float64)
    steps = ratio**-exponents
    index = torch.arange(count, dtype=torch.float64)
    points = (torch.outer(index, steps) % 1).to(torch.get_default_dtype())
    return points.clamp(max=1 - torch.finfo(points.dtype).eps / 2)  # rounded up to 1


def cyclic_lattice(count: int, dims: int) -> Float[Tensor, "count dims"]:
    """Points in [0, 1)^d, d = `dims`, that form a group under addition modulo 1.

        x_k = k (1, g₂, …, g_d) / n mod 1,   gᵢ the integer nearest to n φ¹⁻ⁱ

    A lattice of rank 1 and n = `count` points, φ as in `lattice` of d - 1 dimensions:
    for d = 2 and a Fibonacci number, that of Fibonacci. The first is 0, and shifted by
    any of them they are the same.
    """
    generator = torch.ones(dims, dtype=torch.float64)
    if dims > 1:
        generator[1:] = (lattice(2, dims - 1)[1].double() * count).round()
    index = torch.arange(count, dtype=torch.float64)
    points = torch.outer(index, generator) % count / count
    return points.to(torch.get_default_dtype())
