"""Mistakes in what is judged after training."""

import copy
from pathlib import Path

import pytest

from pipeline.study.params.load import load_study
from pipeline.study.params.yaml_lines import ParamsError
from pipeline.study.store.files import read_yaml, write_yaml

DATA = read_yaml(Path(__file__).parents[3] / "studies" / "smoke.yaml")


class TestExactAnswers:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (
                "{task: multigoal, temperature: 10.0}",
                "{task: swimmer_forward, temperature: 10.0}",
                "'swimmer_forward': a locomotion task has no exact answer",
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
                "not defined across an end: both tasks need goals_end_episode: false",
            ),
            (
                "discount: 0.9\n",
                "discount: 0.8\n",
                "both tasks need the same discount, found 0.8 and 0.9",
            ),
            ("combine: average", "combine: mean", "'average' or 'sum', found 'mean'"),
            (
                "one more\n    kind: multigoal",
                "one more\n    kind: multigoal\n    push: {step: 3, distance: 1.0}",
                "both tasks need the same push",
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
        for block in ("exact", "compose", "score", "theorems", "pretrain", "finetune"):
            del data[block]
        write_yaml(tmp_path / "params.yaml", data)
        study = load_study(tmp_path / "params.yaml")
        assert study.oracles == study.compositions == study.runs("pretrain") == {}

    def test_a_composition_needs_to_know_how_it_is_judged(self, tmp_path):
        data = copy.deepcopy(DATA)
        del data["score"]
        write_yaml(tmp_path / "params.yaml", data)
        with pytest.raises(ParamsError, match=r"compose.runs.both: score: missing"):
            load_study(tmp_path / "params.yaml")

    def test_one_wrong_number_hides_no_other_mistake(self, answer):
        said = answer(
            ("draws: 5000", "draws: 1"), ("first: sql_east", "first: sql_eats")
        )
        assert "score.draws: must be at least 2" in said
        assert "did you mean 'sql_east'?" in said
