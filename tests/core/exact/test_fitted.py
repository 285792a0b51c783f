from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exact.fitted import counterexample, one_hot, soft_fitted_sweeps
from pipeline.core.exact.tabular import soft_q_iteration, soft_q_sweeps
from tests.core.exact.processes import any_mdps, few, random_q, temperatures


@few
@given(any_mdps(), st.integers(0, 10**6), temperatures)
def test_a_feature_for_each_entry_makes_a_soft_sweep(mdp, seed, alpha):
    q, features = random_q(mdp, seed), one_hot(mdp)
    fitted = soft_fitted_sweeps(mdp, features, q.ravel(), temperature=alpha)
    sweeps = soft_q_sweeps(mdp, q, temperature=alpha)
    for weights, expected in islice(zip(fitted, sweeps, strict=False), 5):
        # 1e-9 is rounding of sums of values up to 100 or so in float64.
        np.testing.assert_allclose(features @ weights, expected, atol=1e-9)


@pytest.mark.parametrize("discount", [0.5, 0.8, 0.9, 0.99])
def test_the_counterexample_grows_by_its_known_factor(discount):
    mdp, features = counterexample(discount=discount)
    sweeps = soft_fitted_sweeps(mdp, features, np.ones(1), temperature=1.0)
    for power, weight in enumerate(islice(sweeps, 101)):
        assert weight.item() == pytest.approx((6 * discount / 5) ** power)
    # It may be far off although every value is 0 and can be represented.
    assert (weight.item() > 1e3) == (discount > 5 / 6)
    assert (soft_q_iteration(mdp, temperature=1.0, tolerance=1e-9) == 0).all()
