import numpy as np
import pytest

from pipeline.study.files import read_json, read_table
from pipeline.study.params import load_study
from stages import compose
from tests.stages.trained import add_weights, written
from tests.study.synthetic import small_study

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path, monkeypatch):
    study = small_study(tmp_path)
    for name in ("sql_east", "sql_west"):
        add_weights(study, name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["compose", "both"])
    return tmp_path


def test_a_composition_is_judged_by_the_combined_task(root):
    compose.main()
    folder = root / "results/runs/compose/both"
    table = read_table(folder / "final.csv")
    assert list(table["seed"]) == [0, 1, 2, 3, 4]
    assert (table["reverse_kl/0:0"] > 0).all(), "nothing was learned"
    found = read_json(folder / "summary.json")
    assert found["oracle/success"] > 0.9
    # The grid errs by far less than this share of the bound.
    assert 0 <= found["bound/largest_share"] <= 1
    assert found["bound/least_loss"] > -0.5
    # Both tasks have two corners; networks that learned nothing exceed every bound.
    assert found["oracle/rarest_shared_goal"] > 0.4
    assert (table["least_excess"] < table["largest_excess"]).all()
    assert (table["excess_above_bound"] > 0).all()
    assert np.isfinite(table["value_error/0:0"]).all()
    first = written(folder)
    compose.main()
    assert written(folder) == first


def test_weights_that_do_not_fit_are_refused(root, capsys):
    path = root / "results/runs/explore/sql_east/weights.safetensors"
    add_weights(load_study(root / "params.yaml"), "ddpg", root)
    (root / "results/runs/explore/ddpg/weights.safetensors").replace(path)
    with pytest.raises(SystemExit):
        compose.main()
    message = capsys.readouterr().err
    assert message.startswith("error: compose.runs.both: ")
    assert "both tasks need goals_end_episode: false" in message


def test_damaged_weights_are_one_line(root, capsys):
    path = root / "results/runs/explore/sql_west/weights.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SystemExit):
        compose.main()
    message = capsys.readouterr().err
    assert "cannot be read as weights" in message
    assert "dvc repro explore@sql_east explore@sql_west" in message
