import shutil

import pytest

from pipeline.study.store.files import read_json
from stages import theorems
from tests.stages.trained import written
from tests.study.synthetic import small_study


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_study(tmp_path)
    shutil.rmtree(tmp_path / "results/exact/theorems")


@pytest.mark.slow
def test_every_theorem_is_kept(tmp_path):
    theorems.main()
    found = read_json(tmp_path / "results/exact/theorems/summary.json")
    rounding = 1e-9  # of values of about ten, after some hundred operations
    assert found["contraction/largest_share_of_bound"] <= 1 + rounding
    assert found["hard_limit/largest_share_of_bound"] <= 1 + rounding
    assert found["hard_limit/least_gap"] >= -rounding
    assert found["fitted/largest_difference"] <= rounding
    assert found["fitted/growth"] == pytest.approx(6 * 0.95 / 5)
    assert found["fitted/growth_on_a_table"] == pytest.approx(0.95)
    assert found["improvement/least_rise"] >= -rounding
    assert found["identity/largest_difference"] <= rounding
    assert found["gamble/least_evidence_gap"] >= -rounding


@pytest.mark.slow
def test_the_same_settings_have_the_same_bytes(tmp_path):
    theorems.main()
    first = written(tmp_path / "results/exact/theorems")
    theorems.main()
    assert written(tmp_path / "results/exact/theorems") == first
