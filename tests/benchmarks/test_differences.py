import numpy as np
import pytest

from benchmarks.differences import compared

SEEDS = np.array([1.0, 2.0, 3.0])


def test_a_difference_has_the_interval_of_its_seeds():
    old = {"seed": SEEDS, "return": np.array([1.0, 2.0, 3.0]), "same": SEEDS}
    new = {"seed": SEEDS, "return": np.array([2.0, 4.0, 6.0]), "same": SEEDS}
    found = {name: rest for name, *rest in compared(old, new)}
    assert found["same"] == [2.0, 2.0, None]
    before, now, (mean, low, high) = found["return"]
    assert (before, now, mean) == (2.0, 4.0, 2.0)
    # Student's t of two degrees of freedom at 97.5 % is 4.303; the error is 1/√3.
    assert low == pytest.approx(2 - 4.303 / 3**0.5, abs=1e-3)
    assert high == pytest.approx(2 + 4.303 / 3**0.5, abs=1e-3)


def test_runs_of_other_seeds_are_not_compared():
    with pytest.raises(SystemExit, match="cannot be compared"):
        list(compared({"seed": SEEDS}, {"seed": SEEDS + 1}))
