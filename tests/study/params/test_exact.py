"""Mistakes in what is judged after training."""

import pytest

NO_ANSWER = "'swimmer_forward': a navigation task with body swimmer has no exact answer"
TOO_COLD = "the spacing cannot be used: at temperature 0.01"
PARTS = "1 / spacing must be a whole number"
ACROSS_AN_END = "not defined across an end: both tasks need goals_end_episode: false"


class TestExactAnswers:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("{task: multigoal, t", "{task: swimmer_forward, t", NO_ANSWER),
            ("{task: multigoal, t", "{task: multigaol, t", "did you mean 'multigoal'?"),
            ("goal, temperature: 10.0}", "goal, temperature: 0.01}", TOO_COLD),
            (
                "goal, temperature: 10.0}",
                "goal, temperature: 10.0, spacing: 0.3}",
                PARTS,
            ),
            ("spacing: 0.1", "spacing: 0.3", PARTS),
            ("first: sql_east", "first: sql_eats", "did you mean 'sql_east'?"),
            ("first: sql_east", "first: sql_west", "with itself is nothing new"),
            ("first: sql_east", "first: sac", "'sac' learns none"),
            ("east, temperature: 10.0}", "east, temperature: 1.0}", "one temperature"),
            ("task: corners_east, t", "task: multigoal, t", ACROSS_AN_END),
            ("discount: 0.9\n", "discount: 0.8\n", "same discount, found 0.8 and 0.9"),
            ("combine: average", "combine: mean", "'average' or 'sum', found 'mean'"),
            (
                "one more\n    kind: multigoal",
                "one more\n    kind: multigoal\n    push: {step: 3, distance: 1.0}",
                "both tasks need the same push",
            ),
            ("draws: 5000", "draws: 1", "score.draws: must be at least 2, found 1"),
            ("{goals: [[5.0, 0.0]", "{goals: [[5.0, 1.0]", "half_the_goals: fits no"),
            ("low: [2.2,", "low: [-2.2,", "obstacle: fits no task of a run of explore"),
            ("push: {push: {step", "unchanged: {push: {step", "unchanged: means the"),
            ("push: {push: {step", "push: {pull: {step", "must be {goals: …} or"),
        ],
    )
    def test_what_cannot_be_computed_is_refused(self, answer, old, new, said):
        assert said in answer((old, new))

    def test_all_of_it_may_be_left_out(self, data, load):
        for block in ("exact", "compose", "score", "theorems", "pretrain", "finetune"):
            del data[block]
        study = load(data)
        assert study.oracles == study.compositions == study.runs("pretrain") == {}

    def test_a_composition_needs_to_know_how_it_is_judged(self, data, refused):
        del data["score"]
        assert "compose.runs.both: score: missing" in refused(data)

    def test_one_wrong_number_hides_no_other_mistake(self, answer):
        said = answer(
            ("draws: 5000", "draws: 1"), ("first: sql_east", "first: sql_eats")
        )
        assert "score.draws: must be at least 2" in said
        assert "did you mean 'sql_east'?" in said
