import numpy as np
import pytest

from pipeline.study.statistics.summary import summarise
from pipeline.study.store.nested import leaves
from tests.study.small import BOOTSTRAP, small, with_final

EVIDENCE = small().evidence


@pytest.fixture(scope="module")
def metrics():
    parts = (EVIDENCE.runs, EVIDENCE.scores, EVIDENCE.compositions)
    return summarise(*parts, BOOTSTRAP)


def of_ddpg(success):
    run = small().run("explore/ddpg")
    changed = with_final(run, {"success": np.array(success)})
    return summarise([changed], [], [], BOOTSTRAP)["explore"]["ddpg"]


def test_every_final_metric_of_every_run_has_statistics(metrics):
    assert sorted(metrics) == ["compose", "explore", "finetune", "pretrain", "scratch"]
    entry = metrics["explore"]["sql_10"]["multi_goal_score"]
    assert entry["low"] <= entry["iqm"] <= entry["high"]
    assert entry["seeds"] == 5


def test_mlflow_takes_every_metric_of_the_longest_names(metrics):
    study = small().study
    given = {name for _, name, _ in study.all_runs()}
    given |= {*study.tasks, *study.oracles, *study.perturbations, *study.compositions}
    for metric, _ in leaves(metrics, "/"):
        parts = ["x" * 50 if part in given else part for part in metric.split("/")]
        assert len("/".join(parts)) <= 250, metric


def test_a_seed_without_a_number_is_counted_out_loud():
    entry = of_ddpg([1, 1, np.nan, 1, 1])["success"]
    assert entry == {"iqm": 1.0, "low": 1.0, "high": 1.0, "seeds": 4}


def test_a_metric_without_any_number_is_left_out():
    assert "success" not in of_ddpg([np.nan] * 5)


def test_intervals_of_a_run_do_not_depend_on_the_other_runs(metrics):
    alone = summarise([small().run("pretrain/sql")], [], [], BOOTSTRAP)
    among = metrics["pretrain"]["sql"]["return"]
    assert alone["pretrain"]["sql"]["return"] == among


def test_everything_is_measured_against_ddpg(metrics):
    against = metrics["explore"]["sac_10"]["probability_of_improvement"]
    assert list(against) == ["explore/ddpg"]
    assert list(against["explore/ddpg"]) == ["multi_goal_score", "return"]
    assert against["explore/ddpg"]["multi_goal_score"]["estimate"] == 1.0


def test_numbers_of_scores_are_filed_by_oracle_metric_and_place(metrics):
    explored = metrics["explore"]
    entry = explored["sql_10"]["exact"]["multigoal_10"]["reverse_kl"]["0:0"]
    values = small().score("sql_10").exact["multigoal_10/reverse_kl/0:0"]
    assert entry["low"] <= entry["iqm"] <= entry["high"]
    assert values.min() <= entry["iqm"] <= values.max()
    push = explored["sql_10"]["robustness"]["push"]
    assert set(push["probability_of_improvement"]) == {"explore/sac_10", "explore/ddpg"}
    assert "exact" not in explored["sql_east"]
    assert metrics["compose"]["both"]["oracle"]["oracle/success"] == 0.99
