from pipeline.study.statistics.curves import bands, panels
from tests.study.small import BOOTSTRAP, small


def test_fine_tuning_is_shown_with_runs_from_scratch():
    found = panels(small().evidence.runs)
    assert {key: len(value) for key, value in found.items()} == {
        ("explore", "multigoal"): 4,
        ("explore", "corners_east"): 1,
        ("explore", "corners_west"): 1,
        ("pretrain", "swimmer_any_direction"): 2,
        ("finetune", "swimmer_forward"): 4,
    }


def test_a_band_has_an_interval_at_every_evaluation():
    (band,) = bands([small().run("explore/ddpg")], "return", BOOTSTRAP)
    assert band.steps == [500, 1000, 1500, 2000]
    assert all(one.low <= one.estimate <= one.high for one in band.intervals)


def test_a_run_without_the_metric_has_no_band():
    assert list(bands([small().run("explore/ddpg")], "distance", BOOTSTRAP)) == []
