"""Actions in a box as a = tanh(u), as pure functions: volumes and densities.

Conventions and papers as in `equations.py`.
"""

import math

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


def squash_log_det(
    pre_squash: Float[Tensor, "*batch actions"],
) -> Float[Tensor, "*batch"]:
    """Log-determinant of a = tanh(u), stable for large |u| (SAC 2018 Eq. 21).

        log |det da/du| = Σ log(1 - tanh² u) = Σ 2 (log 2 - u - softplus(-2u))

    In nats, at most 0.
    """
    per_dim = 2 * (math.log(2) - pre_squash - softplus(-2 * pre_squash))
    return per_dim.sum(dim=-1)


def squashed_gaussian_log_density(
    noise: Float[Tensor, "*batch actions"],
    log_scale: Float[Tensor, "*batch actions"],
    pre_squash: Float[Tensor, "*batch actions"],
) -> Float[Tensor, "*batch"]:
    """Log-density of a = tanh(u), u = μ + σ ε, ε ~ N(0, I) (SAC 2018 Eqs. 20, 21).

        log π(a) = Σ [ -ε²/2 - log σ - log √(2π) ] - log |det da/du|

    It is with respect to volume in [-1, 1]^d, in nats.
    """
    gaussian = -0.5 * noise.square() - log_scale - 0.5 * math.log(2 * math.pi)
    return gaussian.sum(dim=-1) - squash_log_det(pre_squash)
