from pathlib import Path

import pytest

from benchmarks import study_cost
from benchmarks.study_cost import Cost
from pipeline.study.params.load import load_study


def test_all_steps_of_all_seeds_count(monkeypatch):
    monkeypatch.setattr(study_cost, "seconds_of_a_step", lambda *_: 0.0036)
    study = load_study(Path(study_cost.__file__).parents[1] / "studies/quadruped.yaml")
    found = {cost.algorithm: cost for cost in study_cost.costs(study)}
    assert found["sql"].steps == 10 * 5 * 5_000_000
    assert found["sql_tuned"].steps == 10 * 3 * 2_000_000
    assert found["sql"].core_hours == pytest.approx(250)
    assert "| all | | | | 530 |" in study_cost.table([*found.values()])


def test_a_table_has_a_row_for_each_algorithm():
    (row, total) = study_cost.table([Cost("sql", 2, 1_000_000, 0.0072)]).split("\n")[2:]
    assert row == "| sql | 2 | 1 million | 7.2 | 2 |"
    assert total == "| all | | | | 2 |"
