"""Mistakes between the parts of `params.yaml`."""

import pytest


class TestMistakesBetweenParts:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("task: multigoal}", "task: multigol}", "task 'multigol'; did you mean"),
            ("{algorithm: sac", "{algorithm: scc", "no algorithm 'scc'; did you mean"),
            ("start: sql}", "start: sqll}", "no pretrained run 'sqll'; did you mean"),
            ("[0, 1, 2, 3]", "[0, 1, 1]", "the seed 1 is written 2 times"),
            ("seeds: [100, 101]", "seeds: [3, 101]", "found 3 in both"),
            ("m: ddpg, t", "m: ddpg, temperature: 1.0, t", "ddpg has"),
            ("temperature.fixed:", "temperature.fixd:", "mean 'temperature.fixed'?"),
            ("[1.0, 30.0]", "[30.0, 1.0]", "low < high, found [30.0, 1.0]"),
            ("[1.0e-4, 3.0e-3]", "[1.0e-4, 3.0]", "at most 1, found 3.0"),
            ("{log_uniform: [1.0,", "{uniform: [-1.0,", "greater than 0, found -1.0"),
            ("replay: 2000", "replay: 20", "must be at most replay (20), found 32"),
            ("steps: 400", "steps: 100", "before 'sql' learns anything"),
            ("steps: 400", "steps: 99", "end before the first evaluation"),
            (
                "{algorithm: ddpg, t",
                "{algorithm: ddpg, steps: 100, t",
                "explore.runs.ddpg.steps: 100 steps end before 'ddpg' learns anything",
            ),
            (
                "{algorithm: ddpg, t",
                "{algorithm: ddpg, steps: 99, t",
                "explore.runs.ddpg.steps: 99 steps end before the first evaluation",
            ),
            ("steps: 200}", "steps: 90}", "sweep.budgets.multigoal.steps: 90 steps"),
            ("multigoal: {trials", "multigaol: {trials", "no task 'multigaol'"),
            (
                "confidence: 0.95",
                "confidence: 0.95\n  threshold_returns: {swimmer_forwrd: 5.0}",
                "compare.threshold_returns.swimmer_forwrd: there is no task",
            ),
            (
                "confidence: 0.95",
                "confidence: 0.95\n  threshold_returns: {multigoal: 5.0}",
                "no run of finetune or scratch is on this task; leave it out",
            ),
            ("fresh_seeds: [200", "fresh_seeds: [101", "found 101 in both"),
        ],
    )
    def test_it_is_found(self, answer, old, new, said):
        assert said in answer((old, new))

    def test_an_algorithm_in_use_needs_an_entry_in_the_sweep(self, answer):
        message = answer(("    sac:\n      task: swimmer_any_direction\n", ""))
        assert "explore.runs.sac.algorithm: sweep.runs has no 'sac'" in message

    def test_a_sweep_needs_a_budget_on_its_task(self, answer):
        message = answer(("    multigoal: {trials", "    swimmer_forward: {trials"))
        assert "sweep.runs.sql.task: sweep.budgets has no 'multigoal'" in message

    def test_a_study_without_runs_is_none(self, data, refused):
        for stage in ("explore", "pretrain", "finetune", "scratch"):
            data[stage]["runs"] = {}
        assert "explore.runs: a study needs a run" in refused(data)

    def test_networks_go_on_in_networks_of_the_same_shape(self, answer):
        message = answer(
            ("sql_from_sql: {algorithm: sql", "sql_from_sql: {algorithm: sac")
        )
        assert "'sql' trains sql networks" in message
        assert "but 'sac' needs sac networks" in message

    def test_networks_go_on_where_observations_are_the_same(self, answer):
        message = answer(("task: swimmer_forward, start", "task: multigoal, start"))
        assert "whose observations or actions are not those of 'multigoal'" in message
