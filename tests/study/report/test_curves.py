"""Curves and steps of runs that are pretrained, and of those from scratch."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.report.figures import curves
from pipeline.study.statistics.curves import bands
from pipeline.study.statistics.threshold import StepsToThreshold
from tests.study.small import BOOTSTRAP, small

KINDS = ("sql", "sac", "ddpg")


@pytest.fixture(scope="module")
def runs():
    """Of every algorithm a pretrained one and one from scratch."""
    algorithms = {run.algorithm.kind: run.algorithm for run in small().evidence.runs}
    return [
        replace(small().run(id), algorithm=algorithms[kind])
        for id in ("finetune/sql_from_sql", "scratch/sql")
        for kind in KINDS
    ]


def drawn(runs):
    """Label to line."""
    named = [replace(run, name=run.algorithm.kind) for run in runs]
    made = [
        replace(band, run=other)
        for run, other in zip(runs, named, strict=True)
        for band in bands([run], "return", BOOTSTRAP)
    ]
    (axes,) = curves.learning.__wrapped__(made, "return", 3.0).axes
    return {line.get_label(): line for line in axes.lines}


def test_an_algorithm_has_one_colour_and_is_dashed_from_scratch(runs):
    lines = drawn(runs)
    for title in ("SQL", "SAC", "DDPG"):
        begun, afresh = lines[f"{title}, pretrained"], lines[f"{title}, from scratch"]
        assert begun.get_color() == afresh.get_color()
        assert (begun.is_dashed(), afresh.is_dashed()) == (False, True)


def test_pairs_are_in_one_panel_side_by_side_with_the_threshold(runs):
    lines = drawn(runs)
    assert list(lines)[:2] == ["SQL, pretrained", "SQL, from scratch"]
    assert len(lines) == 2 * len(KINDS) + 1
    assert set(lines["threshold return"].get_ydata()) == {3.0}


def test_who_never_got_there_is_a_ring_at_the_end_of_its_budget(runs):
    steps = StepsToThreshold(np.array([100.0, 100, np.nan, np.nan, 300]), 2000)
    entry = {"iqm": 500.0, "low": 100.0, "high": 2000.0}
    figure = curves.steps_to_threshold.__wrapped__(runs[:1], [steps], [entry])
    there, rings, budget, *_ = figure.axes[0].lines
    np.testing.assert_array_equal(there.get_xdata(), [100, 100, 300])
    np.testing.assert_array_equal(rings.get_xdata(), [2000, 2000])
    assert rings.get_markerfacecolor() == "white"
    assert set(budget.get_xdata()) == {2000}
    heights = [*there.get_ydata(), *rings.get_ydata()]
    assert len(set(heights)) == 5
