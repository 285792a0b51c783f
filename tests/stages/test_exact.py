import shutil

import pytest

from pipeline.study.store.files import read_json
from stages import exact
from tests.stages.trained import written
from tests.study.synthetic import small_study

OUT = "results/exact/oracles/multigoal_10"


pytestmark = pytest.mark.slow


def solve(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("sys.argv", ["exact", "multigoal_10"])
        exact.main()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A study of which one oracle was solved."""
    root = tmp_path_factory.mktemp("solved")
    small_study(root)
    shutil.rmtree(root / "results/exact/oracles")
    solve(root)
    return root


def test_the_soft_optimal_policy_of_four_goals_goes_to_all_of_them(root):
    found = read_json(root / OUT / "summary.json")
    assert found["success"] > 0.999
    # Four standard errors of a share in 2000 episodes.
    for goal in range(4):
        assert found[f"goal_{goal}"] == pytest.approx(0.25, abs=0.04)
    # Known from a grid of 141² positions; this one has as many.
    assert found["value"] == pytest.approx(-122.4, rel=0.01)
    assert found["refinement_change"] < 0.02
    # Of another program, from starts of its own; at the origin itself it is higher.
    assert found["entropy_at_starts"] == pytest.approx(1.19, abs=0.02)
    assert found["entropy"] > found["entropy_at_starts"]
    # Starts are .1 from 0, and at α = 10 a policy hardly minds: a bit above a quarter.
    assert 0.25 < found["nearest_goal"] < 0.5
    # Of another program, for an upper bound like this one.
    assert found["best_gaussian/0:0"] == pytest.approx(0.12, abs=0.02)
    assert found["best_gaussian/2.5:2.5"] == pytest.approx(0.39, abs=0.02)
    assert "best_gaussian/-2:0" in found


def test_the_same_task_has_the_same_bytes(root):
    first = written(root / OUT)
    assert list(first) == ["oracle.safetensors", "run.json", "summary.json"]
    solve(root)
    assert written(root / OUT) == first
