"""Matrices in `params.yaml`."""

import pytest

from tests.study.params.smoke import TEXT

TASK = """\
tasks:
  linear:
    kind: linear_quadratic
    dynamics: [[0.8, 0.2], [0.0, 0.8]]
    control: [[1.0, 0.0], [0.0, 1.0]]
    state_cost: [[1, 0.0], [0.0, 1.0]]
    action_cost: [[1.0, 0.0], [0.0, 0.5]]
    noise: 0.05
    start: 0.3
    bound: 2.5
    horizon: 10
    discount: 0.8
    objective: return
    evaluation: {every: 100, episodes: 2, final_episodes: 2, policy: sample}
"""


def test_a_linear_task_is_written_in_rows(load):
    task = load(TEXT.replace("tasks:\n", TASK, 1)).tasks["linear"]
    assert task.dynamics == ((0.8, 0.2), (0.0, 0.8))
    assert task.state_cost == ((1.0, 0.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[0.0, 0.8]]", "[0.0]]", "the rows of `dynamics` differ in length"),
        ("[[1, 0.0], [0.0, 1.0]]", "[[1.0]]", "`state_cost` is 1 by 1 and must be"),
        ("[0.0, 0.5]]", "[0.0, -0.5]]", "`action_cost` must be positive definite"),
        ("noise: 0.05", "noise: -1.0", "noise: must be at least 0, found -1"),
        ("[[0.8, 0.2]", "[[0.8, much]", "tasks.linear.dynamics"),
    ],
)
def test_matrices_that_make_no_task_are_refused(answer, old, new, said):
    assert old in TASK
    message = answer(("tasks:\n", TASK.replace(old, new, 1)))
    assert said in message
    assert "tasks.linear" in message
