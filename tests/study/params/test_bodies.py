"""Bodies that a world has no room for, or whose networks do not go on."""

import pytest


def fits(world, body="ant", **changes):
    """A shipped task that a body can be in, but for some changes."""
    speed = {"reward": {"speed": "any", "effort": 0.0}}
    task = {"world": world, "body": body, "end": "never", "objective": "return"}
    return task | speed | changes


@pytest.mark.parametrize(
    ("world", "body"),
    [
        ("open_plane", "swimmer"),
        ("open_plane", "half_cheetah"),
        ("two_way", "half_cheetah"),
        ("u_maze", "ant"),
        ("two_passages", "swimmer"),
        ("two_passages", "ant"),
        ("wide_hallway", "ant"),
    ],
)
def test_a_body_is_in_any_world_that_has_room_for_it(load, worlds, world, body):
    worlds["tasks"]["u_maze"] |= fits(world, body)
    load(worlds)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (fits("open_plane", "swimmer", end="flipped"), "end: is flipped, and swimmer"),
        (fits("open_plane", "point", end="flipped"), "end: is flipped, and point"),
        (
            fits("wide_hallway", "half_cheetah"),
            "body: moves along x only: its world must have no walls and no passages",
        ),
        (
            fits("two_passages", "half_cheetah"),
            "body: moves along x only: its world must have no walls and no passages",
        ),
        (
            fits({"half_width": 9.0, "start": [0.0, 1.0]}, "half_cheetah"),
            "body: moves along x only: the start of its world must have y = 0",
        ),
        (
            fits(
                {
                    "half_width": 9.0,
                    "start": [0.0, 0.0],
                    "targets": [[4.0, 0.0], [4.0, 1.0]],
                },
                "half_cheetah",
            ),
            "body: moves along x only: the targets of its world must have y = 0",
        ),
        (
            fits("narrow_hallway"),
            "body: reaches 1.3 from where it is, and starts at most 0.5 from (0, 0): "
            "walls 0 and walls 1 must be more than 1.8 from there along an axis",
        ),
        (
            fits({"half_width": 2.0, "start": [0.0, 0.0]}, "swimmer"),
            "body: reaches 1.7 from where it is, and starts at most 0.5 from (0, 0): "
            "the end of the plane must be more than 2.2 from there along an axis",
        ),
    ],
)
def test_what_a_body_cannot_do_is_refused(refused, worlds, task, said):
    worlds["tasks"]["u_maze"] |= task
    assert f"tasks.u_maze.{said}" in refused(worlds)


def door(width):
    """Two halves of a wall with a way between them, from the start to a target."""
    return {
        "half_width": 8.0,
        "start": [-4.0, 0.0],
        "walls": [
            {"low": [0.0, width / 2], "high": [1.0, 8.0]},
            {"low": [0.0, -8.0], "high": [1.0, -width / 2]},
        ],
        "targets": [[4.0, 0.0]],
    }


@pytest.mark.parametrize(
    ("body", "narrow", "wide"), [("swimmer", 0.2, 0.4), ("ant", 0.8, 1.0)]
)
def test_a_way_is_wider_than_the_body(refused, load, worlds, body, narrow, wide):
    worlds["tasks"]["u_maze"] |= fits(door(narrow), body)
    message = refused(worlds)
    assert f"tasks.u_maze.body: takes ways more than {narrow:g} wide" in message
    assert "targets 0: no way leads there from the start" in message
    worlds["tasks"]["u_maze"] |= fits(door(wide), body)
    load(worlds)


def test_a_way_between_a_wall_and_the_end_of_the_plane_is_as_wide_too(refused, worlds):
    walled = door(3.0) | {"targets": [], "finish_line": 4.0}
    walled["walls"] = [{"low": [0.0, -8.0], "high": [1.0, 7.3]}]
    worlds["tasks"]["u_maze"] |= fits(walled)
    assert "finish_line: no way leads past it" in refused(worlds)


def test_each_open_passage_lets_the_body_through(refused, worlds):
    passages = worlds["worlds"]["two_passages"]
    passages["walls"].append({"low": [3.0, -2.9], "high": [4.0, -1.5]})
    passages["passages"]["open"] = [{"low": [-2.0, -3.5], "high": [3.0, -1.5]}]
    worlds["tasks"]["two_passages"] |= fits("two_passages")
    assert "passages open 0: is closed: no way leads" in refused(worlds)


@pytest.fixture
def learned(worlds):
    """A swimmer that has learned to go anywhere, and goes on in some task."""

    def learned(task):
        run = {"algorithm": "sql", "task": "open_plane"}
        open_plane = worlds["tasks"]["u_maze"] | fits("open_plane", "swimmer")
        worlds["tasks"]["open_plane"] = open_plane
        worlds["tasks"]["u_maze"] |= task
        worlds["pretrain"] = {"steps": 1000, "runs": {"swims": run}}
        goes_on = run | {"task": "u_maze", "start": "swims"}
        worlds["finetune"] = {"steps": 1000, "runs": {"goes_on": goes_on}}
        return worlds

    return learned


def test_networks_of_a_body_go_on_in_another_world(load, learned):
    load(learned(fits("two_passages", "swimmer")))


def test_networks_of_a_body_do_not_go_on_in_another_body(refused, learned):
    said = "'swims' is trained on 'open_plane', whose observations or actions are not"
    assert said in refused(learned(fits("two_passages", "ant")))
