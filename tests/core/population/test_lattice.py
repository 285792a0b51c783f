"""The additive recurrence that covers a box evenly."""

import itertools

import numpy as np
import pytest
import torch

from pipeline.core.population.lattice import cyclic_lattice, lattice


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("dims", [1, 2, 3, 6, 17])
def test_its_steps_are_the_powers_of_the_root(dims):
    step = lattice(2, dims)[1]
    root = 1 / step[0].item()
    assert root ** (dims + 1) == pytest.approx(root + 1, rel=1e-12)
    powers = root ** -np.arange(1.0, dims + 1)
    np.testing.assert_allclose(step.numpy(), powers % 1, rtol=1e-12)


def test_on_a_line_it_steps_by_the_golden_ratio():
    expected = np.arange(50) * (5**0.5 - 1) / 2 % 1
    np.testing.assert_allclose(lattice(50, 1)[:, 0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_its_points_are_in_the_unit_box(dims):
    points = lattice(1000, dims)
    assert ((points >= 0) & (points < 1)).all()


def test_rounding_leaves_no_point_on_the_upper_edge():
    torch.set_default_dtype(torch.float16)  # single precision needs 15 million points
    points = lattice(5000, 1)
    assert points.dtype == torch.float16
    assert points.max() < 1


def test_every_strip_of_the_plane_has_its_share():
    points = lattice(256, 2).numpy()
    for axis, (low, high) in itertools.product((0, 1), itertools.pairwise(range(9))):
        inside = (points[:, axis] >= low / 8) & (points[:, axis] < high / 8)
        # Independent points: 32 with a deviation of 5.3.
        assert abs(inside.sum() - 32) <= 3


def test_a_mean_over_shifted_points_is_unbiased_and_varies_less():
    """Of exp(x + y): (e - 1)² in the mean, and 64 independent points vary by .10."""
    generator = torch.Generator().manual_seed(0)
    shift = torch.rand(2000, 1, 2, generator=generator)
    points = (shift + lattice(64, 2)) % 1
    means = points.sum(dim=2).exp().mean(dim=1).numpy()
    exact = (np.e - 1) ** 2
    assert abs(means.mean() - exact) < 4 * means.std() / 2000**0.5
    independent = ((np.e**2 - 1) ** 2 / 4 - exact**2) ** 0.5 / 64**0.5
    assert means.std() < 0.5 * independent


@pytest.mark.parametrize("dims", [1, 2, 5])
@pytest.mark.parametrize("count", [1, 2, 8, 13])
def test_a_cyclic_lattice_shifted_by_any_of_its_points_is_itself(count, dims):
    points = (cyclic_lattice(count, dims) * count).round()
    assert (points[0] == 0).all()
    assert len(set(map(tuple, points.tolist()))) == count
    for point in points:
        shifted = (points + point) % count
        assert {*map(tuple, shifted.tolist())} == {*map(tuple, points.tolist())}


def test_in_the_plane_it_is_that_of_fibonacci():
    expected = torch.arange(13) * torch.tensor([[1], [8]]) % 13 / 13
    torch.testing.assert_close(cyclic_lattice(13, 2), expected.T)
