"""Mistakes in what is judged after training."""

import copy
from pathlib import Path

import pytest

from pipeline.study.store.files import read_yaml, write_yaml
from pipeline.study.params import load_study

DATA = read_yaml(Path(__file__).parents[3] / "studies" / "smoke.yaml")


class TestExactAnswers:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (
                "{task: multigoal, temperature: 10.0}",
                "{task: swimmer_forward, temperature: 10.0}",
                "exact.oracles.multigoal_10: 'swimmer_forward' is of kind locomotion, "
                "which has no exact answer",
            ),
            (
                "{task: multigoal, temperature: 10.0}",
                "{task: multigaol, temperature: 10.0}",
                "there is no task 'multigaol'; did you mean 'multigoal'?",
            ),
            (
                "{task: multigoal, temperature: 10.0}",
                "{task: multigoal, temperature: 0.01}",
                "exact.spacing cannot be used: at temperature 0.01",
            ),
            ("spacing: 0.1", "spacing: 0.3", "1 / spacing must be a whole number"),
            ("first: sql_east", "first: sql_eats", "did you mean 'sql_east'?"),
            ("first: sql_east", "first: sql_west", "with itself is nothing new"),
            ("first: sql_east", "first: sac", "'sac' learns none"),
            (
                "{algorithm: sql, task: corners_east, temperature: 10.0}",
                "{algorithm: sql, task: corners_east, temperature: 1.0}",
                "both need one temperature",
            ),
            (
                "{algorithm: sql, task: corners_east,",
                "{algorithm: sql, task: multigoal,",
                "not defined where one of the tasks has ended",
            ),
            (
                "discount: 0.9\n",
                "discount: 0.8\n",
                "same dynamics, but their discount differs",
            ),
            ("combine: average", "combine: mean", "'average' or 'sum', found 'mean'"),
            (
                "one more\n    kind: multigoal",
                "one more\n    kind: multigoal\n    push: {step: 3, distance: 1.0}",
                "a task with a push cannot be composed",
            ),
            ("draws: 5000", "draws: 1", "score.draws: must be at least 2, found 1"),
            (
                "goals: [[5.0, 0.0], [0.0, 5.0]]}",
                "goals: [[5.0, 1.0], [0.0, 5.0]]}",
                "half_the_goals: fits no task of a run of explore",
            ),
            (
                "low: [2.2, -1.5]",
                "low: [-2.2, -1.5]",
                "obstacle: fits no task of a run of explore",
            ),
            ("push: {push: {step", "push: {pull: {step", "must be {goals: …} or"),
        ],
    )
    def test_what_cannot_be_computed_is_refused(self, answer, old, new, said):
        assert said in answer((old, new))

    def test_all_of_it_may_be_left_out(self, tmp_path):
        data = copy.deepcopy(DATA)
        data["exact"]["oracles"] = data["compose"]["runs"] = {}
        data["score"]["robustness"]["perturbations"] = {}
        write_yaml(tmp_path / "params.yaml", data)
        assert load_study(tmp_path / "params.yaml").exact.oracles == {}
