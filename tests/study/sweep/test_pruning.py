import pytest

from pipeline.study.params.sweep import PercentileSettings
from pipeline.study.sweep.pruning import floors
from tests.study.sweep.examples import trial

MEDIAN = PercentileSettings(percentile=50, startup_trials=3, warmup_steps=20)
CURVES = [{10: [9.0], 20: [v], 30: [2 * v]} for v in (1.0, 2.0, 3.0, 4.0)]
COMPLETE = [trial(n, {}, [1.0], curve) for n, curve in enumerate(CURVES)]


def test_the_floor_is_the_percentile_of_complete_trials_after_the_warm_up():
    assert floors(COMPLETE[:3], MEDIAN, steps=40) == {20: 2.0, 30: 4.0}
    upper = MEDIAN.model_copy(update={"percentile": 75.0})
    assert floors(COMPLETE, upper, steps=40) == {20: 3.25, 30: 6.5}


def test_nothing_is_pruned_at_the_last_step():
    assert floors(COMPLETE, MEDIAN, steps=30) == {20: 2.5}


@pytest.mark.parametrize("state", ["PRUNED", "FAIL"])
def test_only_complete_trials_count(state):
    others = [trial(n, {}, [], CURVES[0], state, "why") for n in range(9)]
    assert floors([*COMPLETE, *others], MEDIAN, steps=40) == {20: 2.5, 30: 5.0}
    assert floors([*COMPLETE[:2], *others], MEDIAN, steps=40) == {}


def test_without_pruning_there_is_no_floor():
    assert floors(COMPLETE, "none", steps=40) == {}
