from dataclasses import replace

import pytest

from pipeline.study.claims.cost import core_hours
from tests.study.small import small

RUNS = small().evidence.runs


def test_updates_cost_more_in_larger_networks_and_batches():
    run = small().run("explore/sql_10")
    large = run.algorithm.model_copy(update={"hidden": (128, 128), "batch": 256})
    # 1900 updates at 5.2 ms, as in the table.
    cost = core_hours(replace(run, algorithm=large), RUNS)
    assert cost == pytest.approx(1900 * 5.24e-3 / 3600, rel=0.05)
    assert core_hours(run, RUNS) < cost / 3


def test_a_tuned_run_costs_its_pretraining_as_well():
    tuned, begun = small().run("finetune/sql_from_sql"), small().run("pretrain/sql")
    alone = replace(tuned, start=None)
    assert core_hours(tuned, RUNS) == pytest.approx(
        core_hours(alone, RUNS) + core_hours(begun, RUNS)
    )
