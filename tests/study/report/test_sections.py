from dataclasses import asdict

import numpy as np
import pytest

from pipeline.study.claims.base import Claim
from pipeline.study.report.section import Context
from pipeline.study.report.sections.oracles import distances
from pipeline.study.report.sections.results import results
from pipeline.study.report.settings import beside, claimed
from pipeline.study.report.table import MISSING, Table, markdown
from pipeline.study.statistics.summary import summarise
from tests.study.small import BOOTSTRAP, small

EVIDENCE = small().evidence
RUNS = EVIDENCE.runs


@pytest.fixture(scope="module")
def metrics():
    return summarise(RUNS, EVIDENCE.scores, EVIDENCE.compositions, BOOTSTRAP)


def of_stages(*stages):
    return [run for run in RUNS if run.stage in stages]


def test_a_median_that_never_came_is_a_lower_bound(metrics):
    runs = [run for run in RUNS if run.task_name == "multigoal"]
    table = results("x", runs, metrics)
    rows = {row[0].split("\n")[1]: row for row in table.rows}
    column = table.columns.index("steps to all goals")
    assert rows["explore/ddpg"][column] == "> 2\u2009000\n0 of 5 seeds"
    assert rows["explore/sql_10"][column].endswith("5 of 5 seeds")


def test_a_seed_without_a_number_is_mentioned(metrics):
    entry = metrics["explore"]["ddpg"]["return"]
    changed = {"explore": {"ddpg": {"return": entry | {"seeds": 4}}}}
    (row,) = results("x", [small().run("explore/ddpg")], changed).rows
    assert row[4].endswith("only 4 of 5 seeds")
    assert row[1] == MISSING


def test_every_comparator_has_a_line_of_its_own(metrics):
    table = results("x", of_stages("finetune", "scratch"), metrics)
    assert table.columns[-2:] == [
        "steps to the threshold return",
        "P(better than comparator)",
    ]
    cell = table.rows[0][-1].split("\n")
    assert cell[1::2] == ["finetune/ddpg_from_ddpg", "scratch/sql", "scratch/ddpg"]


def test_no_number_of_a_table_is_nan(metrics):
    for stage in ("explore", "pretrain"):
        text = np.array(results("x", of_stages(stage), metrics).rows).ravel()
        assert not any("nan" in cell for cell in text)


def test_what_one_gaussian_can_do_stands_below_the_runs(metrics):
    scores = [score for score in EVIDENCE.scores if score.exact]
    context = Context(RUNS, scores, (), BOOTSTRAP, small().study, metrics, ())
    least = {"best_gaussian/-2:0": 0.064, "best_gaussian/0:0": 0.13}
    context.__dict__["oracles"] = {"multigoal_10": least}
    table = distances(scores, context)
    *runs, last = table.rows
    assert [row[0].split("\n")[1] for row in runs] == [score.run.id for score in scores]
    assert last[:2] == ["best single Gaussian\nexact/multigoal_10", "multigoal_10"]
    below = dict(zip(table.columns, last, strict=True))
    assert below["KL at (-2, 0)"] == "0.06"
    assert below["KL at (0, 0)"] == "0.13"
    assert below["KL at (2.5, 2.5)"] == MISSING
    assert below["forward KL, worst place"] == MISSING


def test_settings_are_flattened_and_stand_beside_each_other():
    table = beside("x", {"x": {"a": {"b": 1e-4}}, "y": {"c": [1, 2], "d": None}})
    assert table.columns == ["setting", "x", "y"]
    assert table.rows == [["a.b", "0.0001", "–"], ["c", "–", "1, 2"], ["d", "–", "–"]]


def test_markdown_has_the_caption_breaks_and_the_verdict_in_bold():
    claim = Claim("A paper", "It works.", ("a", "b"), "5 of 5", "undecided")
    assert list(markdown(claimed([asdict(claim)]))) == [
        "| claim | measured | verdict |",
        "|---|---|---|",
        "| It works.<br>A paper | 5 of 5<br>a against b | **undecided** |",
    ]
    shown = markdown(Table("x", ["a"], [["1"]], "What it is."))
    assert list(shown) == ["What it is.", "", "| a |", "|---|", "| 1 |"]
