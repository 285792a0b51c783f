from typing import get_args

import numpy as np
import pytest

from pipeline.core.tasks.settings import Task
from pipeline.study.report.tables import (
    COLUMNS,
    beside,
    digits_for,
    interval,
    number,
    results,
)
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.statistics.compare import compare
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    return load_runs(small_study(root), root / "results/runs")


@pytest.fixture(scope="module")
def metrics(runs):
    return compare(runs, Bootstrap(seed=7, resamples=100, confidence=0.95))


def test_every_kind_of_task_has_columns():
    (union, _) = get_args(Task)
    kinds = {get_args(kind.model_fields["kind"].annotation) for kind in get_args(union)}
    assert {(kind,) for kind in COLUMNS} == kinds


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (-1234.56, 1, "\u22121\u2009234.6"),
        (0.946, 2, "0.95"),
        (20000, 0, "20\u2009000"),
    ],
)
def test_numbers_have_a_minus_sign_and_thin_spaces(value, digits, text):
    assert number(value, digits) == text


def test_an_interval_has_as_many_decimals_as_its_largest_end_needs():
    assert digits_for(0.5, -12.0) == 1
    assert interval({"iqm": -120.04, "low": -131.6, "high": -9.0}) == "−120 [−132, −9]"
    assert interval({"iqm": 0.951, "low": 0.9, "high": 1}) == "0.95 [0.90, 1.00]"


def test_a_median_that_never_came_is_a_lower_bound(runs, metrics):
    table = results([run for run in runs if run.stage == "explore"], metrics)
    rows = {row[0].split("\n")[1]: row for row in table.rows}
    column = table.columns.index("steps to all goals")
    assert rows["explore/ddpg"][column] == "> 2\u2009000\n0 of 5 seeds"
    assert rows["explore/sql_10"][column].endswith("5 of 5 seeds")


def test_a_seed_without_a_number_is_mentioned(runs, metrics):
    entry = metrics["explore"]["ddpg"]["return"]
    changed = {"explore": {"ddpg": {"return": entry | {"seeds": 4}}}}
    ddpg = [run for run in runs if run.id == "explore/ddpg"]
    (row,) = results(ddpg, changed).rows
    assert row[4].endswith("only 4 of 5 seeds")
    assert row[1] == "–"


def test_every_rival_has_a_line_of_its_own(runs, metrics):
    tuned = [run for run in runs if run.stage in ("finetune", "scratch")]
    cell = results(tuned, metrics).rows[0][-1].split("\n")
    assert cell[1::2] == ["finetune/ddpg_from_ddpg", "scratch/sql", "scratch/ddpg"]


def test_settings_are_flattened_and_stand_beside_each_other():
    table = beside({"x": {"a": {"b": 1e-4}}, "y": {"c": [1, 2], "d": None}}, "set")
    assert table.columns == ["set", "x", "y"]
    assert table.rows == [["a.b", "0.0001", "–"], ["c", "–", "1, 2"], ["d", "–", "–"]]


def test_no_number_of_a_table_is_nan(runs, metrics):
    for stage in ("explore", "pretrain"):
        alike = [run for run in runs if run.stage == stage]
        text = np.array(results(alike, metrics).rows).ravel()
        assert not any("nan" in cell for cell in text)
