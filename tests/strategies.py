"""Hypothesis strategies shared by the tests."""

import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

temperatures = st.floats(0.01, 100)
shifts = st.floats(-50, 50)


def action_values():
    """Q-values [batch, particle]."""
    shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=6)
    values = arrays.arrays("float64", shapes, elements=st.floats(-20, 20))
    return values.map(torch.from_numpy)
