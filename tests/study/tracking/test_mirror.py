import json
import math
from pathlib import PurePosixPath
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.study.store.files import write_csv, write_json
from pipeline.study.tracking.content import Content, Point, params_of
from pipeline.study.tracking.mirror import means, mirror_of, pictures_of

values = st.floats(-1e6, 1e6)


def child(*points):
    return Content(points=[Point(*point) for point in points])


class TestParams:
    def test_are_what_run_json_says_without_what_names_the_run(self):
        described = {
            "key": "k",
            "stage": "explore",
            "run": "sql",
            "task_name": "multigoal",
            "task": {"horizon": 30},
            "seeds": [0, 1],
            "start": None,
        }
        assert params_of(described) == {
            "task": "multigoal",
            "task.horizon": "30",
            "seeds": "[0, 1]",
        }

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_keep_numbers_exactly(self, number):
        assert json.loads(params_of({"alpha": number})["alpha"]) == number


class TestMeans:
    @given(st.lists(values, min_size=1, max_size=6))
    def test_are_over_children(self, found):
        children = {f"{n}": child(("q", 1, value)) for n, value in enumerate(found)}
        ((metric, step, mean),) = means(children)
        assert (metric, step) == ("q", 1)
        assert math.isclose(mean, sum(found) / len(found), abs_tol=1e-6)

    def test_exist_only_where_every_child_has_a_value(self):
        children = {
            "seed 0": child(("q", 1, 1.0), ("q", 2, 5.0)),
            "seed 1": child(("q", 1, 2.0)),
        }
        assert means(children) == [Point("q", 1, 1.5)]


def entry(stage, run, folder):
    """A stage instance as `dvc.lock` names it, with all files of a folder."""
    files = {
        PurePosixPath(path.relative_to(folder).as_posix()): path
        for path in folder.rglob("*")
    }
    return SimpleNamespace(
        stage=stage,
        run=run,
        name=f"{stage}@{run}",
        description="what it is for",
        digest="d",
        files=lambda root: dict(files),
    )


class TestExactAnswers:
    def test_of_a_score_are_metrics_of_each_seed_and_their_means(self, tmp_path):
        folder = tmp_path / "score"
        columns = {
            "scores": "multigoal_10/reverse_kl/0:0",
            "robustness": "push/success",
        }
        for name, column in columns.items():
            write_csv(folder / f"{name}.csv", ["seed", column], [[3, 0.5], [4, 1.5]])
        described = {"stage": "score", "run": "sql", "seeds": [3, 4]}
        described |= {"algorithm_name": "sql", "task_name": "multigoal"}
        write_json(folder / "run.json", described)
        mirror = mirror_of(entry("score", "sql", folder), tmp_path)
        name = "score/multigoal_10/reverse_kl/0:0"
        assert Point(name, 0, 0.5) in mirror.children["seed 3"].points
        assert Point(name, 0, 1.0) in mirror.parent.points
        assert Point("robustness/push/success", 0, 1.0) in mirror.parent.points
        assert mirror.note == "What it is for: sql on multigoal; seeds 3, 4."

    def test_of_an_oracle_are_metrics_of_its_run_with_its_figure(self, tmp_path):
        folder = tmp_path / "exact"
        write_json(folder / "run.json", {"run": "one", "task_name": "multigoal"})
        write_json(folder / "summary.json", {"value": -122.4, "bound/largest": 1.0})
        picture = tmp_path / "results/report/figures/exact_one.png"
        picture.parent.mkdir(parents=True)
        picture.write_bytes(b"")
        mirror = mirror_of(entry("exact", "one", folder), tmp_path)
        assert mirror.parent.points == [
            Point("bound/largest", 0, 1.0),
            Point("value", 0, -122.4),
        ]
        assert mirror.pictures == [picture]
        assert mirror.children == {}
        assert mirror.note == "What it is for: multigoal."


def test_a_seed_that_has_failed_is_a_failed_run_with_its_reason(tmp_path):
    folder = tmp_path / "run"
    write_json(folder / "run.json", {"run": "sql", "task_name": "own", "steps": 9})
    write_csv(folder / "final.csv", ["seed", "return"], [[3, 0.5], [4, None]])
    failed = [[4, 7, "its reward is nan"]]
    write_csv(folder / "failures.csv", ["seed", "step", "reason"], failed)
    children = mirror_of(entry("explore", "sql", folder), tmp_path).children
    assert children["seed 3"].status == "FINISHED"
    assert children["seed 4"].status == "FAILED"
    assert children["seed 4"].params["failed"] == "after step 7: its reward is nan"


def test_a_sweep_has_all_of_its_figures_and_none_of_another(tmp_path):
    folder = tmp_path / "results/report/figures"
    folder.mkdir(parents=True)
    for name in (
        "sweep_sql",
        "sweep_sql-contour",
        "sweep_sql_2",
        "sweep_sql_2-contour",
    ):
        (folder / f"{name}.png").write_bytes(b"")
    found = pictures_of(entry("sweep", "sql", folder), tmp_path)
    assert {path.stem for path in found} == {"sweep_sql", "sweep_sql-contour"}
