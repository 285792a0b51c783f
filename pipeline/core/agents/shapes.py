"""Tensors that learners exchange, by name: one row per member, as the first axis."""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

State: TypeAlias = Float[Tensor, "member state"]
Action: TypeAlias = Float[Tensor, "member action"]
States: TypeAlias = Float[Tensor, "member batch state"]
Actions: TypeAlias = Float[Tensor, "member batch action"]
Values: TypeAlias = Float[Tensor, "member batch"]
"""One number for each state of a batch, or each pair of state and action."""
Particles: TypeAlias = Float[Tensor, "member batch particle action"]
"""Several actions for each state of a batch."""
Numbers: TypeAlias = Float[Tensor, " member"]
"""One number per member."""
