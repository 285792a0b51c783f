import math
from dataclasses import replace

import pytest

from pipeline.core.config.values import parsed
from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.study.params.ranges import Range
from pipeline.study.params.space import dimensions
from pipeline.study.report.figures import album, sweep_album
from pipeline.study.report.figures.landscapes import pairs
from pipeline.study.report.figures.style import ALGORITHMS, by_algorithm, looks, names
from pipeline.study.report.figures.sweeps import importances
from pipeline.study.report.figures.tried import Scale
from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.statistics.curves import panels
from pipeline.study.statistics.summary import summarise
from pipeline.study.sweep.trials import load_sweep
from tests.study.made_sweeps import choices, conditional, single
from tests.study.small import BOOTSTRAP, small

PARTS = ("", "-curves", "-contour", "-parallel")
"""Of the names of a sweep's pictures."""
INTERVAL = Interval(0.8, 0.7, 0.9)
PNG = b"\x89PNG\r\n\x1a\n"


RUNS = small().evidence.runs
SWEEPS = small().root / "results/sweep"


def unread():
    pytest.fail("episodes of exact policies are read where none are shown")


def pictures(stage):
    metrics = summarise(RUNS, [], [], BOOTSTRAP)
    together = next(alike for key, alike in panels(RUNS).items() if key[0] == stage)
    solved = unread if stage == "explore" else dict
    made = album.of_panel(
        stage, together, metrics=metrics, bootstrap=BOOTSTRAP, solved=solved
    )
    return {picture.name: picture.png for picture in made}


def drawn(sweep):
    made = sweep_album.of_sweep(sweep, "#0066AA", INTERVAL)
    return {picture.name: picture.png for picture in made}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (
            "explore",
            "scores trajectories goals actions curve_multi_goal_score curve_return",
        ),
        ("pretrain", "scores traces visits curve_return curve_direction_spread"),
        (
            "finetune",
            "scores traces visits steps curve_return curve_direction_spread",
        ),
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
    assert {run.task.kind for run in RUNS} == {"multigoal", "navigation"}
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
    made = album.of_panel(
        "x", strange, metrics=metrics, bootstrap=BOOTSTRAP, solved=dict
    )
    assert [picture.name for picture in made] == ["x-scores", "x-curve_return"]
    assert list(album.of_runs(strange)) == []


class TestSweep:
    @pytest.fixture
    def sweep(self):
        return load_sweep(SWEEPS / "sql/trials", "sql")

    @pytest.mark.slow
    def test_has_its_pictures_and_they_are_the_same_twice(self, sweep):
        made = drawn(sweep)
        assert list(made) == [f"sweep_sql{part}" for part in PARTS]
        assert all(png.startswith(PNG) for png in made.values())
        assert made == drawn(sweep)

    @pytest.mark.slow
    @pytest.mark.parametrize("made", [conditional, choices], ids=["blocks", "grid"])
    def test_of_choices_has_its_pictures(self, made):
        assert list(drawn(made())) == [f"sweep_sql{part}" for part in PARTS]

    def test_of_one_dimension_has_no_landscape(self):
        assert list(drawn(single())) == ["sweep_sql", "sweep_sql-curves"]

    def test_whose_fresh_seeds_all_failed_is_drawn(self):
        failed = replace(single(), fresh={200: None, 201: None})
        nothing = Interval(-math.inf, -math.inf, -math.inf)
        assert len(list(sweep_album.of_sweep(failed, "#0066AA", nothing))) == 2

    def test_importances_are_shares(self, sweep):
        found = importances(sweep)
        assert sorted(found) == ["learning_rate.q", "temperature.fixed"]
        assert sum(found.values()) == pytest.approx(1)

    def test_of_a_constant_objective_has_no_importances(self, sweep):
        flat = [replace(trial, value=0.5) for trial in sweep.trials]
        constant = replace(sweep, trials=flat, best={"trial": 0, "value": 0.5})
        assert importances(constant) == {}
        assert len(drawn(constant)) == len(PARTS)

    def test_of_few_trials_has_no_importances(self, sweep):
        assert importances(replace(sweep, trials=sweep.complete[:1])) == {}

    def test_importance_is_said_of_what_every_trial_has_and_what_has_none_is_named(
        self,
    ):
        sweep = conditional()
        assert sorted(importances(sweep)) == ["batch", "temperature"]
        picture = next(sweep_album.of_sweep(sweep, "#0066AA", INTERVAL))
        assert picture.caption.endswith(
            "temperature.automatic.learning_rate, temperature.fixed are not among them."
        )

    def test_pairs_are_of_dimensions_that_trials_have_together(self):
        named = [
            [scale.dimension.name for scale in pair] for pair in pairs(conditional())
        ]
        assert named == [
            ["batch", "temperature"],
            ["batch", "temperature.automatic.learning_rate"],
            ["batch", "temperature.fixed"],
        ]


class TestScale:
    @staticmethod
    def of(range_):
        space = parsed(dict[str, Range], {"x": range_})
        return Scale(dimensions(space)["x"])

    def test_of_a_logarithmic_range_has_round_numbers_in_equal_steps(self):
        ticks = self.of({"log_uniform": [1e-4, 1e-2]}).ticks()
        assert list(ticks.values()) == ["0.0001", "0.001", "0.01"]
        assert list(ticks) == pytest.approx([0, 0.5, 1])

    def test_of_less_than_a_decade_still_has_numbers(self):
        ticks = self.of({"log_uniform": [0.91, 0.99]}).ticks()
        assert list(ticks.values()) == ["0.92", "0.94", "0.96", "0.98"]

    def test_of_numbers_to_choose_from_is_in_their_order(self):
        ticks = self.of({"choice": [256, 32, 64.5]}).ticks()
        assert list(ticks.values()) == ["32", "64.5", "256"]
        assert list(ticks) == pytest.approx([1 / 6, 1 / 2, 5 / 6])

    def test_of_other_choices_is_in_the_order_of_the_file(self):
        ticks = self.of({"choice": [None, True, "gae", [64, 64], [128] * 4]}).ticks()
        assert list(ticks.values()) == [
            *("null", "true", "gae", "[64, 64]"),
            "[128, 128, 128,\u2026",
        ]

    def test_of_few_whole_numbers_is_one_of_choices(self):
        assert self.of({"integer": [16, 64], "step": 16}).points == (16, 32, 48, 64)
        assert self.of({"integer": [1, 2**53]}).points == ()
        many = self.of({"integer": [1, 100]})
        assert many.points == ()
        assert list(many.ticks().values()) == ["25", "50", "75", "100"]
