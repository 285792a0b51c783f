"""Matrices in `params.yaml`."""

from pathlib import Path

import pytest

from pipeline.study.params.load import load_study
from pipeline.study.params.yaml_lines import ParamsError

SMOKE = Path(__file__).parents[3] / "studies" / "smoke.yaml"

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


def load(folder, old="", new=""):
    assert old in TASK
    text = SMOKE.read_text().replace("tasks:\n", TASK.replace(old, new, 1), 1)
    path = folder / "params.yaml"
    path.write_text(text)
    return load_study(path)


def test_a_linear_task_is_written_in_rows(tmp_path):
    task = load(tmp_path).tasks["linear"]
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
def test_matrices_that_make_no_task_are_refused(tmp_path, old, new, said):
    with pytest.raises(ParamsError) as caught:
        load(tmp_path, old, new)
    assert said in str(caught.value)
    assert "tasks.linear" in str(caught.value)
