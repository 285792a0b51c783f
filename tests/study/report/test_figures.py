from dataclasses import replace

import pytest

from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.study.report.figures import album
from pipeline.study.report.figures.style import ALGORITHMS, by_algorithm, looks, names
from pipeline.study.report.figures.sweeps import importances
from pipeline.study.statistics.curves import panels
from pipeline.study.statistics.summary import summarise
from pipeline.study.sweep.trials import load_sweep
from tests.study.small import BOOTSTRAP, small

PNG = b"\x89PNG\r\n\x1a\n"


RUNS = small().evidence.runs
SWEEPS = small().root / "results/sweep"


def pictures(stage):
    metrics = summarise(RUNS, [], [], BOOTSTRAP)
    together = next(alike for key, alike in panels(RUNS).items() if key[0] == stage)
    made = album.of_panel(stage, together, metrics=metrics, bootstrap=BOOTSTRAP)
    return {picture.name: picture.png for picture in made}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (
            "explore",
            "scores trajectories goals actions curve_multi_goal_score curve_return",
        ),
        ("pretrain", "scores traces curve_return curve_direction_spread"),
        ("finetune", "scores traces curve_return curve_direction_spread"),
    ],
)
def test_a_stage_has_its_pictures_and_they_are_the_same_twice(stage, expected):
    made = pictures(stage)
    assert list(made) == [f"{stage}-{name}" for name in expected.split()]
    assert all(png.startswith(PNG) for png in made.values())
    assert made == pictures(stage)


@pytest.mark.slow
def test_each_run_in_a_plane_has_a_picture_of_its_own():
    made = {picture.name: picture.png for picture in album.of_runs(RUNS)}
    assert list(made) == [f"{run.stage}_{run.name}" for run in RUNS]
    assert {run.task.kind for run in RUNS} == {"multigoal", "locomotion"}
    assert len(set(made.values())) == len(RUNS)


def test_a_run_of_one_seed_has_a_picture():
    (picture,) = album.of_runs([replace(RUNS[0], seeds=(0,))])
    assert picture.png.startswith(PNG)


def test_runs_that_would_be_called_the_same_are_told_apart():
    twice = [RUNS[1], replace(RUNS[1], name="again")]
    assert list(names(twice).values()) == [
        "SQL, α = 10 [sql_10]",
        "SQL, α = 10 [again]",
    ]
    drawn = looks(twice)
    assert drawn["explore/sql_10"] != drawn["explore/again"]


def test_every_algorithm_has_a_title_and_a_colour_of_its_own():
    for name in ("title", "colour"):
        assert len({getattr(kind, name) for kind in ALGORITHMS}) == len(ALGORITHMS)


def test_every_run_is_in_the_group_of_its_algorithm():
    groups = by_algorithm(RUNS)
    assert sorted(run.id for alike in groups for run in alike) == sorted(
        run.id for run in RUNS
    )
    assert [alike[0].algorithm.kind for alike in groups] == ["sql", "sac", "ddpg"]


@pytest.mark.slow
def test_a_kind_of_task_without_figures_of_its_own_has_those_of_all():
    task = Gymnasium.model_construct(kind="unheard_of", objective="return")
    strange = [replace(run, task=task) for run in RUNS if run.stage == "pretrain"]
    metrics = summarise(strange, [], [], BOOTSTRAP)
    made = album.of_panel("x", strange, metrics=metrics, bootstrap=BOOTSTRAP)
    assert [picture.name for picture in made] == ["x-scores", "x-curve_return"]
    assert list(album.of_runs(strange)) == []


class TestSweep:
    @pytest.fixture
    def sweep(self):
        return load_sweep(SWEEPS / "sql/trials", "sql")

    def test_is_drawn_the_same_twice(self, sweep):
        (picture,) = album.of_sweep(sweep, "#0066AA")
        assert picture.png.startswith(PNG)
        assert [picture] == list(album.of_sweep(sweep, "#0066AA"))

    def test_importances_are_shares(self, sweep):
        found = importances(sweep)
        assert sorted(found) == ["learning_rate.q", "temperature.fixed"]
        assert sum(found.values()) == pytest.approx(1)

    def test_without_trials_has_no_picture(self):
        sweep = load_sweep(SWEEPS / "ddpg/trials", "ddpg")
        assert sweep.trials == []
        assert list(album.of_sweep(sweep, "#0066AA")) == []

    def test_of_a_constant_objective_has_no_importances(self, sweep):
        flat = [replace(trial, values=[0.5, 0.5]) for trial in sweep.complete]
        constant = replace(sweep, trials=flat)
        assert importances(constant) == {}
        assert len(list(album.of_sweep(constant, "#0066AA"))) == 1

    def test_of_few_trials_has_no_importances(self, sweep):
        few = replace(sweep, trials=sweep.complete[:1])
        assert importances(few) == {}
        assert len(list(album.of_sweep(few, "#0066AA"))) == 1
