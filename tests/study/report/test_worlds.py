from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Circle, Rectangle

from pipeline.core.tasks.navigation.ways import threshold
from pipeline.study.params.exact import Exact, OracleSettings
from pipeline.study.report.figures import album, navigation, nearness, worlds
from pipeline.study.report.section import Context
from pipeline.study.report.sections.results import results
from pipeline.study.statistics.summary import summarise
from pipeline.study.store.files import write_arrays
from pipeline.study.store.layout import ORACLES
from tests.study.report.in_worlds import SHIPPED, failed, run_in, walks
from tests.study.small import BOOTSTRAP

PNG = b"\x89PNG\r\n\x1a\n"


def panels(draw, *args):
    """The visible axes of a figure that is not made into a PNG."""
    figure = draw.__wrapped__(*args)
    return [axes for axes in figure.axes if axes.get_visible()]


def titles(draw, *args):
    return [axes.get_title() for axes in panels(draw, *args)]


def exact(run):
    return {"exact, α = 1": walks(run)[0]}


@pytest.mark.slow
def test_a_world_has_its_pictures_and_they_are_the_same_twice(tmp_path):
    run = run_in(tmp_path, "two_passages", "sql", alpha=1.0)
    draw = album.of_kind("navigation").panel
    made = {
        picture.name: picture.png for picture in draw("x", [run], lambda: exact(run))
    }
    assert list(made) == ["x-traces", "x-visits", "x-closest"]
    assert all(png.startswith(PNG) for png in made.values())
    assert made == {
        each.name: each.png for each in draw("x", [run], lambda: exact(run))
    }
    (alone,) = album.of_runs([run])
    assert alone.png.startswith(PNG)


@pytest.mark.parametrize(
    ("task", "names"),
    [("any_direction", []), ("two_way", ["to_line"]), ("maze_4", ["closest"])],
)
def test_a_distance_is_drawn_where_there_is_something_to_come_to(tmp_path, task, names):
    assert nearness.recorded([run_in(tmp_path, task, "sql")]) == names


def test_panels_go_from_the_highest_temperature_to_the_baseline_and_the_exact(
    tmp_path,
):
    made = [("sql", 0.1), ("ddpg", None), ("sql", 10.0), ("sql", 1.0)]
    runs = [
        run_in(tmp_path, "any_direction", name, alpha=alpha) for name, alpha in made
    ]
    runs = navigation.hottest_first(runs)
    assert titles(navigation.traces, runs, exact(runs[0])) == [
        *("SQL, α = 10", "SQL, α = 1", "SQL, α = 0.1", "DDPG", "exact, α = 1")
    ]


def test_a_body_on_a_line_is_shown_over_time_and_not_from_above(tmp_path):
    run = run_in(tmp_path, "any_direction", "sql")
    run = replace(run, task=run.task.model_copy(update={"body": "half_cheetah"}))
    (axes,) = panels(navigation.traces, [run], {})
    (first, *_) = axes.collections[0].get_segments()
    np.testing.assert_allclose(first[:, 0], np.arange(8))
    np.testing.assert_allclose(first[:, 1], walks(run)[0, 0, :, 0])
    made = album.of_kind("navigation").panel("x", [run], dict)
    assert [picture.name for picture in made] == ["x-traces"]
    assert len(panels(navigation.behaviour, run)) == 1


def test_what_is_in_a_world_is_drawn():
    world = SHIPPED.worlds["two_passages"]
    (axes,) = panels(worlds.picture, {"two_passages": world})
    boxes = [each for each in axes.patches if isinstance(each, Rectangle)]
    assert len(boxes) == len(world.walls) + 2
    (blocked,) = world.passages.blocked
    assert [each.xy for each in boxes if each.get_hatch()] == [blocked.low]
    (target,) = (each for each in axes.patches if isinstance(each, Circle))
    assert (target.center, target.radius) == (world.targets[0], 1.0)


def test_it_is_told_how_many_seeds_found_the_open_passage(tmp_path):
    run = run_in(tmp_path, "two_passages", "sql")
    (axes,) = panels(nearness.distances, [run], "closest")
    assert axes.get_title().endswith("\n2 of 3 seeds nearer")
    heights = {line.get_label(): line.get_ydata()[0] for line in axes.lines}
    aim = heights["as near as without an open passage"]
    assert aim == threshold(run.task.place)


def test_it_is_told_how_many_seeds_passed_the_line_and_a_failed_one_did_not(tmp_path):
    run = run_in(tmp_path, "two_way", "ddpg")
    (title,) = titles(nearness.distances, [run], "to_line")
    assert title == "DDPG\n2 of 3 seeds past it"
    (axes,) = panels(nearness.distances, [failed(run, 0)], "to_line")
    assert axes.get_title() == "DDPG\n1 of 3 seeds past it"
    first, median = axes.lines[0].get_ydata(), axes.lines[3].get_ydata()
    np.testing.assert_array_equal(first, [9, np.nan, np.nan])
    np.testing.assert_array_equal(median, [9, (3.5 + 9) / 2, (-2 + 9) / 2])


@pytest.mark.parametrize("task", ["two_way", "maze_4", "any_direction"])
def test_a_run_of_which_every_seed_failed_is_drawn(tmp_path, task):
    run = run_in(tmp_path, task, "sql")
    nothing = {"positions": np.full((3, 4, 8, 2), np.nan, np.float32)}
    write_arrays(run.folder / "behaviour.safetensors", nothing)
    assert navigation.behaviour(run).startswith(PNG)


def test_the_visits_of_a_panel_are_shares(tmp_path):
    run = run_in(tmp_path, "maze_4", "sql", alpha=1.0)
    for axes in panels(navigation.visits, [run], exact(run))[:2]:
        (mesh,) = axes.collections
        assert mesh.get_array().sum() == pytest.approx(1)


@pytest.mark.parametrize("task", ["maze_4", "any_direction"])
def test_an_exact_answer_has_a_value_where_it_is_one_of_places(tmp_path, task):
    run = run_in(tmp_path, task, "sql")
    data = {"positions": walks(run)[0], "v": np.zeros((15, 15))}
    data |= {
        "probe_states": np.zeros((1, 2)),
        "probe_masses": np.full((1, 9, 9), 1 / 81),
    }
    found = titles(navigation.oracle, data, run.task, "x")
    assert ("V* (reward units)" in found) == (task == "maze_4")
    assert {"episodes", "share of steps", "actions at (0, 0)"} <= set(found)


def test_episodes_of_exact_policies_are_of_the_task_and_the_hottest_first(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    solved = {"a": ("maze_4", 0.1), "b": ("maze_4", 3.0), "c": ("maze_8", 1.0)}
    solved["finer"] = solved["b"]  # but for its spacing
    made = {
        name: OracleSettings(task=task, temperature=alpha)
        for name, (task, alpha) in solved.items()
    }
    for mark, name in enumerate(made):
        positions = np.full((1, 2, 2), mark, np.float32)
        write_arrays(ORACLES / name / "oracle.safetensors", {"positions": positions})
    study = SHIPPED.model_copy(update={"exact": Exact(spacing=0.1, oracles=made)})
    context = Context([], (), (), BOOTSTRAP, study, {}, ())
    found = context.exact_episodes("maze_4")
    assert {title: each[0, 0, 0] for title, each in found.items()} == {
        "exact/b, α = 3": 1,
        "exact/finer, α = 3": 3,
        "exact/a, α = 0.1": 0,
    }
    assert list(found)[-1] == "exact/a, α = 0.1"


def test_a_table_has_no_column_that_its_world_has_nothing_for(tmp_path):
    run = run_in(tmp_path, "two_way", "sql")
    table = results("x", [run], summarise([run], [], [], BOOTSTRAP))
    assert table.columns == [
        *("run", "return", "successful episodes", "episodes that end past the line"),
        "spread of directions",
    ]
