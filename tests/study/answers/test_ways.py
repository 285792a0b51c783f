import numpy as np
import pytest

from pipeline.study.answers.scores import way_distance


@pytest.mark.parametrize(
    ("shares", "exact", "distance"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0.0),
        ([1.0, 0.0], [0.5, 0.5], 0.5),
        ([0.0, 0.0], [0.5, 0.5], 1.0),  # no episode takes any way
        ([0.5, 0.0], [0.5, 0.5], 0.5),
        ([0.8], [0.6], 0.2),  # one side of a line; the other is the rest
    ],
)
def test_the_distance_of_ways_counts_episodes_that_take_none(shares, exact, distance):
    of_members = np.array([shares, exact]).T
    found = way_distance(of_members, np.array(exact))
    assert found == pytest.approx([distance, 0.0])
