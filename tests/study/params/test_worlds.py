"""Worlds and tasks in them, as they are written."""

import pytest


def test_a_task_has_its_world_in_place_of_a_name(load, worlds):
    study = load(worlds)
    assert study.tasks["u_maze"].place == study.worlds["u_maze"]


@pytest.mark.parametrize(
    ("world", "field", "value", "said"),
    [
        (
            "u_maze",
            "targets",
            [[-2.0, 0.0]],
            "targets[0]: must not be in a wall; it is in",
        ),
        (
            "u_maze",
            "targets",
            [[9.0, 0.0]],
            "targets[0]: must be in the plane, which ends",
        ),
        (
            "u_maze",
            "start",
            [-1.5, 0.9],
            "walls[0]: must leave free where episodes start",
        ),
        ("u_maze", "start", [4.8, 0.0], "start: must be at least 0.5 inside of"),
        (
            "u_maze",
            "walls",
            [{"low": [-5.0, -0.5], "high": [5.0, 0.5]}],
            "targets[0]: no way leads there from the start",
        ),
        (
            "u_maze",
            "walls",
            [{"low": [-9.0, -0.5], "high": [2.0, 0.5]}],
            "walls[0]: must be in the plane, which ends at ±5",
        ),
        (
            "u_maze",
            "walls",
            [{"low": [2.0, 0.5], "high": [-6.0, -0.5]}],
            "must be greater",
        ),
        ("maze_4", "targets", [[5.5, 5.5], [5.5, 5.5]], "targets[1]: is written twice"),
        ("two_way", "finish_line", 16.0, "finish_line: must be between the start and"),
        ("two_way", "finish_line", 0.4, "above 0.5 and below 16, found 0.4"),
        (
            "two_way",
            "walls",
            [{"low": [3.0, -16.0], "high": [4.0, 16.0]}],
            "finish_line: no way leads past it",
        ),
        ("two_passages", "targets", [], "passages: lead to a target"),
        (
            "two_passages",
            "passages",
            {
                "open": [{"low": [-2.0, -3.5], "high": [4.0, -1.5]}],
                "blocked": [{"low": [3.0, -3.5], "high": [4.0, 3.5]}],
            },
            "targets[0]: no way leads there",
        ),
        (
            "two_passages",
            "passages",
            {
                "open": [{"low": [0.0, -1.0], "high": [1.0, 1.0]}],
                "blocked": [{"low": [3.0, 1.5], "high": [4.0, 3.5]}],
            },
            "passages.open: a target can be reached without any of them",
        ),
        (
            "two_passages",
            "passages",
            {
                "open": [{"low": [-8.0, -3.5], "high": [-7.0, -1.5]}],
                "blocked": [{"low": [3.0, 1.5], "high": [4.0, 3.5]}],
            },
            "passages.open: a target can be reached without any of them",
        ),
        (
            "two_passages",
            "passages",
            {
                "open": [
                    {"low": [-2.0, -3.5], "high": [4.0, -1.5]},
                    {"low": [-2.0, 1.5], "high": [3.0, 3.5]},
                ],
                "blocked": [{"low": [3.0, 1.5], "high": [4.0, 3.5]}],
            },
            "passages.open[1]: is closed: no way leads through it alone",
        ),
        (
            "two_passages",
            "passages",
            {
                "open": [
                    {"low": [-2.0, -3.5], "high": [4.0, -1.5]},
                    {"low": [-7.0, -1.0], "high": [-5.0, 1.0]},
                ],
                "blocked": [{"low": [3.0, 1.5], "high": [4.0, 3.5]}],
            },
            "passages.open[1]: must not be where episodes start",
        ),
        ("maze_4", "targets", [[0.5, 0.5]], "targets[0]: is reached where episodes"),
    ],
)
def test_an_impossible_world_is_refused(refused, worlds, world, field, value, said):
    worlds["worlds"][world][field] = value
    message = refused(worlds)
    assert f"worlds.{world}." in message
    assert said in message


@pytest.mark.parametrize(
    ("task", "changes", "said"),
    [
        (
            "u_maze",
            {"world": "u_maz"},
            "there is no world 'u_maz'; did you mean 'u_maze'",
        ),
        ("u_maze", {"world": 3}, "must be the name of one of `worlds`"),
        ("u_maze", {"body": "snake"}, "'half_cheetah' or 'ant', found 'snake'"),
        ("two_way", {"end": "at_target"}, "end: is at a target, and the world has no"),
        ("u_maze", {"end": "past_line"}, "end: is past a line, and the world has no"),
        (
            "two_way",
            {"reward": {"bump": {"height": 1.0, "width": 1.0}, "effort": 0.0}},
            "reward: pays at targets, and the world has no",
        ),
        (
            "u_maze",
            {"reward": {"speed": "any", "past_line": 1.0, "effort": 0.0}},
            "reward: pays past a line, and the world has no",
        ),
        (
            "u_maze",
            {"objective": "past_line"},
            "objective: has no meaning in this world",
        ),
        ("u_maze", {"reward": {"sped": "any"}}, "must be {speed: …} or {bump: …} or"),
    ],
)
def test_a_task_that_does_not_fit_its_world_is_refused(
    refused, worlds, task, changes, said
):
    worlds["tasks"][task] |= changes
    message = refused(worlds)
    assert f"tasks.{task}" in message
    assert said in message


def test_a_wall_is_at_least_as_thick_as_a_step(refused, worlds):
    worlds["worlds"]["u_maze"]["walls"] = [{"low": [-6.0, -0.1], "high": [2.0, 0.1]}]
    message = refused(worlds)
    assert "tasks.u_maze.body: makes steps of 0.25 along an axis" in message
    assert "only 0.2 thick" in message


def test_a_world_of_any_width_is_looked_at(load, worlds):
    worlds["worlds"]["u_maze"] |= {"half_width": 5.04, "targets": [[-3.0, 5.04]]}
    assert load(worlds).tasks["u_maze"].place.half_width == 5.04


def test_an_oracle_of_a_task_in_no_world_is_left_to_the_task(refused, worlds):
    worlds["tasks"]["two_passages"]["world"] = "two_pasages"
    oracle = {"task": "two_passages", "temperature": 1.0}
    worlds["exact"] = {"spacing": 0.25, "oracles": {"one": oracle}}
    assert "there is no world 'two_pasages'" in refused(worlds)


def test_a_world_inside_of_a_task_is_checked_too(refused, worlds):
    worlds["tasks"]["u_maze"]["world"] = worlds["worlds"]["u_maze"] | {
        "targets": [[-2.0, 0.0]]
    }
    assert "must not be in a wall" in refused(worlds)


def test_a_broken_world_is_not_called_unknown(refused, worlds):
    del worlds["worlds"]["u_maze"]["half_width"]
    message = refused(worlds)
    assert "worlds.u_maze" in message
    assert "no world" not in message


class TestSeedsOfARun:
    def test_they_begin_with_the_first_of_the_study(self, load, data):
        data["explore"]["runs"]["sac"]["seeds"] = 6
        study = load(data)
        assert study.seeds(study.explore.runs["sac"]) == (0, 1, 2, 3, 4, 5)
        assert study.seeds(study.explore.runs["ddpg"]) == (0, 1, 2, 3)

    def test_they_are_not_those_that_a_sweep_chose_by(self, refused, data):
        data["explore"]["runs"]["sac"]["seeds"] = 102
        said = "explore.runs.sac.seeds: ends among the seeds of sweep.search: 100, 101"
        assert said in refused(data)

    def test_each_begins_with_its_own_pretrained_networks(self, refused, data):
        data["finetune"]["runs"]["sql_from_sql"]["seeds"] = 5
        assert "'sql' has 4 seeds, and each of 5 begins" in refused(data)

    def test_two_that_are_composed_have_the_same(self, refused, data):
        data["explore"]["runs"]["sql_east"]["seeds"] = 5
        assert "both need the same seeds" in refused(data)
