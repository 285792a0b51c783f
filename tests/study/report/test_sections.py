from dataclasses import asdict, replace

import numpy as np
import pytest

from pipeline.study.claims.base import Claim
from pipeline.study.claims.rules import Published
from pipeline.study.params.load import load_study
from pipeline.study.report.page import seeds_of_each
from pipeline.study.report.section import Context
from pipeline.study.report.sections.oracles import distances, oracles
from pipeline.study.report.sections.results import results, threshold_return
from pipeline.study.report.sections.searches import (
    Found,
    counts,
    sections,
    setting,
    summary,
)
from pipeline.study.report.settings import beside, claimed, settings
from pipeline.study.report.table import MISSING, Table, markdown
from pipeline.study.statistics.summary import summarise
from pipeline.study.store.fingerprint import ROOT
from tests.study.made_sweeps import single, three
from tests.study.small import BOOTSTRAP, small

EVIDENCE = small().evidence
RUNS = EVIDENCE.runs


@pytest.fixture(scope="module")
def metrics():
    return summarise(RUNS, EVIDENCE.scores, EVIDENCE.compositions, BOOTSTRAP)


@pytest.fixture
def context(metrics, monkeypatch):
    monkeypatch.chdir(small().root)
    return Context(RUNS, (), (), BOOTSTRAP, small().study, metrics, ())


def of_stages(*stages):
    return [run for run in RUNS if run.stage in stages]


def test_a_median_that_never_came_is_a_lower_bound(metrics):
    runs = [run for run in RUNS if run.task_name == "multigoal"]
    table = results("x", runs, metrics)
    rows = {row[0].split("\n")[1]: row for row in table.rows}
    column = table.columns.index("steps to all goals")
    assert rows["explore/ddpg"][column] == "> 2\u202f000\n0 of 5 seeds"
    assert rows["explore/sql_10"][column].endswith("5 of 5 seeds")


def test_the_page_says_how_many_seeds_runs_have(context):
    assert seeds_of_each(context) == "5"
    assert seeds_of_each(replace(context, runs=[])) == "5"
    more = replace(RUNS[0], seeds=range(60))
    assert seeds_of_each(replace(context, runs=[*RUNS, more])) == "5 to 60"


def test_a_seed_without_a_number_is_mentioned(metrics):
    entry = metrics["explore"]["ddpg"]["return"]
    changed = {"explore": {"ddpg": {"return": entry | {"seeds": 4}}}}
    (row,) = results("x", [small().run("explore/ddpg")], changed).rows
    assert row[1].endswith("only 4 of 5 seeds")


def test_a_cell_is_empty_only_where_another_run_has_a_number(metrics):
    entry = {"ddpg": {"return": metrics["explore"]["ddpg"]["return"]}}
    changed = {"explore": {"sql_10": metrics["explore"]["sql_10"], **entry}}
    runs = [small().run("explore/sql_10"), small().run("explore/ddpg")]
    table = results("x", runs, changed)
    assert table.rows[1][table.columns.index("goals reached")] == MISSING
    assert "goals reached" not in results("x", runs[1:], changed).columns


def test_every_comparator_has_a_line_of_its_own(metrics):
    table = results("x", of_stages("finetune", "scratch"), metrics)
    assert table.columns[-2:] == [
        "steps to the threshold return",
        "P(better than comparator)",
    ]
    cell = table.rows[0][-1].split("\n")
    assert cell[1::2] == ["finetune/ddpg_from_ddpg", "scratch/sql", "scratch/ddpg"]


def test_it_is_said_whence_a_threshold_return_is(context):
    tuned = of_stages("finetune", "scratch")
    assert "half-way from the first evaluation" in threshold_return(tuned, context)
    assert threshold_return(of_stages("explore"), context) == ""
    fixed = {"threshold_returns": {"swimmer_forward": 3.5}}
    compare = context.study.compare.model_copy(update=fixed)
    study = context.study.model_copy(update={"compare": compare})
    metrics = summarise(RUNS, (), (), BOOTSTRAP, fixed=compare.threshold_returns)
    other = replace(context, study=study, metrics=metrics)
    said = threshold_return(tuned, other)
    assert "return is 3.50: fixed beforehand in params.yaml. Steps" in said


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


def test_an_exact_answer_has_a_column_for_what_is_known_of_any(metrics):
    context = Context(RUNS, (), (), BOOTSTRAP, small().study, metrics, ())
    context.__dict__["oracles"] = {"multigoal_10": {"value": 1.0, "goal_entropy": 0.5}}
    assert oracles((), context).columns == ["task", "V* at the start"]
    context.__dict__["oracles"] = {"multigoal_10": {"goal_0": 0.25, "goal_1": 0.75}}
    assert oracles((), context).rows[0][1:] == ["0.25, 0.75"]


class TestSearches:
    TASK = small().study.tasks["multigoal"]

    def found(self, sweep):
        return Found.of(sweep, "multigoal", self.TASK, BOOTSTRAP)

    def cells(self, sweep):
        (row,) = summary([self.found(sweep)]).rows
        return dict(zip(summary([self.found(sweep)]).columns, row, strict=True))

    def test_what_the_search_saw_stands_beside_what_fresh_seeds_say(self):
        sweep = replace(three(), fresh=dict.fromkeys(range(200, 206), 0.8))
        cells = self.cells(sweep)
        assert cells["trials"] == "24\n18 complete, 5 pruned, 1 failed"
        assert cells["seeds"] == "3\n6 fresh"
        assert cells["in the search"] == "0.87\ninterquartile mean"
        assert cells["on fresh seeds"] == "0.80 [0.80, 0.80]"
        assert cells["difference"] == "\u22120.07"
        assert cells["best setting"].startswith("learning_rate.policy 0.00")

    def test_a_difference_is_one_of_interquartile_means_whatever_was_searched_by(self):
        sweep = replace(three(), fresh=dict.fromkeys(range(200, 206), 0.8))
        best = sweep.best | {"value": min(sweep.trials[sweep.best["trial"]].values)}
        cells = self.cells(replace(sweep, statistic="worst", best=best))
        assert cells["in the search"] == "0.82\nworst"
        assert cells["difference"] == "\u22120.07"

    def test_a_fresh_seed_that_failed_counts_as_the_worst_there_is(self):
        fresh = {200: None, 201: 0.9, 202: 0.9}
        cells = self.cells(replace(three(), fresh=fresh))
        value, failed = cells["on fresh seeds"].split("\n")
        assert value.startswith("0.60 [0.00, ")
        assert failed == "1 of 3 seeds failed"
        returns = replace(three(), objective="return", fresh=fresh)
        assert self.cells(returns)["on fresh seeds"].startswith("\u2212\u221e [")
        assert self.cells(returns)["difference"] == "\u2212\u221e"

    def test_a_section_says_how_it_was_searched_and_why_trials_failed(self, context):
        section = next(sections(context))
        assert section.anchor == "sweep_sql"
        assert (
            "6 trials (4 complete, 1 pruned, 1 failed), proposed by random draws until "
            "4 had a result, then Optuna's tree-structured Parzen estimator."
        ) in section.introduction
        (failures,) = section.tables
        assert failures.rows == [["1", "seed 101 stopped at step 150: its loss is nan"]]

    def test_a_setting_is_written_as_in_params(self):
        tried = {"a": 0.00123456, "b": 64, "c": None, "d": True, "e": "fixed"}
        assert setting(tried) == "a 0.00123, b 64, c null, d true, e fixed"

    def test_only_states_that_trials_have_are_counted(self):
        assert counts(single()) == "3 complete"


def test_settings_are_flattened_and_stand_beside_each_other():
    table = beside("x", {"x": {"a": {"b": 1e-4}}, "y": {"c": [1, 2], "d": None}})
    assert table.columns == ["setting", "x", "y"]
    assert table.rows == [["a.b", "0.0001", "–"], ["c", "–", "1, 2"], ["d", "–", "–"]]


def test_a_task_has_the_name_of_its_world_whose_boxes_stand_in_a_table_of_their_own(
    context,
):
    shipped = load_study(ROOT / "studies/worlds.yaml")
    alike = {"another": shipped.worlds["maze_4"]}
    known = small().study.model_copy(
        update={"tasks": shipped.tasks, "worlds": {**shipped.worlds, **alike}}
    )
    found = settings(replace(context, study=known))
    tasks, worlds = (
        {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
        for table in (found["Tasks"], found["Worlds"])
    )
    assert tasks["world"]["u_maze"] == "u_maze"
    assert tasks["world"]["maze_4"] == "maze_4 = another"
    assert worlds["walls"]["u_maze"] == "[-5.0, -0.5] to [-1.0, 0.5]"
    nowhere = small().study.model_copy(update={"worlds": {}})
    assert "Worlds" not in settings(replace(context, study=nowhere))


def test_markdown_has_the_caption_breaks_and_the_verdict_in_bold():
    claim = Claim(
        "A paper",
        "It works.",
        Published("100 %", (1.0,)),
        ("a", "b"),
        (5, 5),
        "share",
        (),
        "3 of 5",
        "all do",
        "undecided",
        "≈ 9 seeds",
    )
    assert list(markdown(claimed([asdict(claim)]))) == [
        "| claim | published | measured | rule | verdict |",
        "|---|---|---|---|---|",
        "| It works.<br>A paper | 100 % | 3 of 5<br>a against b; 5 seeds | all do "
        "| **undecided**<br>≈ 9 seeds |",
    ]
    shown = markdown(Table("x", ["a"], [["1"]], "What it is."))
    assert list(shown) == ["What it is.", "", "| a |", "|---|", "| 1 |"]
