import numpy as np
import pytest
import torch

from pipeline.core.composition.answer import CombinedAnswer
from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_json, read_table
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
    assert found["oracle/rarest_shared_goal"] > 0.4  # of two equally good corners
    value = table["value/0:0"]  # fresh networks are about 0: α log of the box's volume
    np.testing.assert_allclose(value, 10 * np.log(4), atol=5)
    first = written(folder)
    compose.main()
    assert written(folder) == first


def test_what_is_exact_but_for_a_constant_exceeds_by_it(root):
    study = load_study(root / "params.yaml")
    east, west = (study.tasks[f"corners_{side}"] for side in ("east", "west"))
    exact = CombinedAnswer(east, west, "average", temperature=10.0, spacing=0.1)

    class Shifted:
        temperature = torch.tensor([10.0, 10.0])

        def q(self, state, action):
            state, action = (x.double().numpy() for x in (state, action))
            q = exact.oracle.q(state[0], action[0][:, None])[:, 0]
            return torch.from_numpy(np.stack([q + 5, q - 3]))

    found = exact.excesses(Shifted())
    # Actions and states are rounded to single precision on the way.
    for name in ("least_excess", "largest_excess"):
        np.testing.assert_allclose(found[name], [5, -3], atol=1e-3)
    assert (found["excess_above_bound"] < found["largest_excess"]).all()


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
