from pathlib import Path

import pytest

from benchmarks import pipeline
from tests.projects import run

ROOT = Path(__file__).parents[2]


def test_a_cell_is_the_median_and_the_ends():
    assert pipeline.shown([3.0, 1.0, 1.5]) == "1.50 [1.00, 3.00]"


@pytest.mark.slow
@pytest.mark.parametrize("params", [None, ROOT / "studies/smoke.yaml"])
def test_a_bare_project_has_its_stages_and_nothing_to_do(tmp_path, params):
    project = pipeline.bare(tmp_path / "bare", 3, params)
    printed = run(project, "dvc", "repro")
    assert printed.count("didn't change, skipping") == 3
    assert "up to date" in printed
