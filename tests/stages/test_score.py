import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from pipeline.study.answers.oracles import write_oracle
from pipeline.study.answers.results import load_scores
from pipeline.study.machine import capacity
from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_json, read_table, read_yaml, write_yaml
from pipeline.study.training.results import load_runs
from stages import exact, score
from tests.stages.trained import add_weights, written
from tests.study import synthetic
from tests.study.checked import check, said
from tests.study.synthetic import let_fail, small_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A study whose oracle is solved, and with networks that have learned nothing."""
    root = tmp_path_factory.mktemp("study")
    study = small_study(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("sys.argv", ["exact", "multigoal_10"])
        exact.main()
    for name in study.runs("explore"):
        add_weights(study, name, root)
    return root


@pytest.fixture
def judged(root, monkeypatch):
    """Judge a run; its folder."""
    monkeypatch.chdir(root)

    def judged(name):
        monkeypatch.setattr("sys.argv", ["score", name])
        score.main()
        return root / "results/runs/score" / name

    return judged


def test_a_run_is_compared_with_the_oracle_of_its_temperature(judged):
    folder = judged("sql_10")
    table = read_table(folder / "scores.csv")
    assert list(table["seed"]) == [0, 1, 2, 3, 4]
    assert (table["multigoal_10/reverse_kl/0:0"] > 0).all()
    assert (table["multigoal_10/value_error/0:0"] > 0.5).all()  # it is about 0
    ways = table["multigoal_10/ways_total_variation/0:0"]
    assert ((ways >= 0) & (ways <= 1)).all()


def test_a_run_without_an_oracle_is_still_tried_in_changed_tasks(judged):
    folder = judged("sql_east")
    assert not (folder / "scores.csv").exists()
    assert read_json(folder / "run.json")["oracles"] == []
    columns = read_table(folder / "robustness.csv")
    assert {name.split("/")[0] for name in columns} == {
        "seed",
        "unchanged",
        "obstacle",
        "push",
    }, "half of the goals of another task are none of its own"


def test_a_policy_without_a_temperature_has_no_value_to_compare(judged):
    columns = read_table(judged("ddpg") / "scores.csv")
    assert "multigoal_10/reverse_kl/0:0" in columns
    assert not any("value_error" in name for name in columns)


def test_judging_twice_gives_the_same_bytes(judged):
    first = written(judged("sac_10"))
    assert written(judged("sac_10")) == first


def test_what_is_written_is_what_is_compared(judged, root):
    judged("sql_10")
    study = load_study(root / "params.yaml")
    scores = {one.run.name: one for one in load_scores(study, load_runs(study))}
    assert scores["sql_10"].oracles == ["multigoal_10"]
    assert scores["sql_10"].places == ["-2:0", "0:0", "2.5:2.5"]
    assert scores["sql_10"].perturbations[0] == "unchanged"


def test_a_damaged_file_of_weights_is_one_line(judged, root, capsys):
    path = root / "results/runs/explore/ddpg/weights.safetensors"
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    try:
        with pytest.raises(SystemExit):
            judged("ddpg")
    finally:
        path.write_bytes(good)
    assert "weights.safetensors is damaged" in capsys.readouterr().err


LINEAR = {
    "kind": "linear_quadratic",
    "dynamics": [[0.8, 0.2], [0.0, 0.8]],
    "control": [[1.0, 0.0], [0.0, 1.0]],
    "state_cost": [[1.0, 0.0], [0.0, 1.0]],
    "action_cost": [[1.0, 0.0], [0.0, 0.5]],
    "noise": 0.05,
    "start": 0.3,
    "bound": 2.5,
    "horizon": 10,
    "discount": 0.8,
    "objective": "return",
    "evaluation": {
        "every": 100,
        "episodes": 2,
        "final_episodes": 2,
        "policy": "sample",
    },
}


def linear_study(root, **changes):
    """A study with a run on a linear system, and its weights."""
    data = read_yaml(Path(synthetic.__file__).with_name("small.yaml"))
    data["tasks"]["linear"] = LINEAR | changes
    run = {"algorithm": "sac", "task": "linear", "temperature": 0.5}
    data["explore"]["runs"]["sac_linear"] = run
    data["exact"]["oracles"]["linear"] = {"task": "linear", "temperature": 0.5}
    write_yaml(root / "params.yaml", data)
    study = check(load_study(root / "params.yaml"), root)
    folder = root / "results/runs/explore/sac_linear"
    synthetic.write_run(study, "explore", "sac_linear", folder)
    oracle = root / "results/exact/oracles/linear"
    write_oracle(said(study, "exact", "linear"), oracle)
    add_weights(study, "sac_linear", root)


def test_a_linear_system_is_compared_with_its_closed_form(tmp_path, monkeypatch):
    linear_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["score", "sac_linear"])
    score.main()
    folder = tmp_path / "results/runs/score/sac_linear"
    table = read_table(folder / "scores.csv")
    for place in ("0:0", "0.3:0", "0:0.3"):  # the mean start, one deviation from it
        assert (table[f"linear/reverse_kl/{place}"] > 0).all()
        assert (table[f"linear/value_error/{place}"] > 0).all()
    assert not (folder / "robustness.csv").exists(), "there is nothing to change"


def test_one_action_has_no_square_of_cells(tmp_path, monkeypatch):
    one = {"control": [[0.0], [1.0]], "action_cost": [[1.0]]}
    linear_study(tmp_path, **one)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["score", "sac_linear"])
    score.main()
    folder = tmp_path / "results/runs/score/sac_linear"
    assert [path.name for path in folder.iterdir()] == ["run.json"]
    assert read_json(folder / "run.json")["oracles"] is None


def test_the_number_of_cores_does_not_matter(judged, monkeypatch):
    written = []
    for cores in (1, 3):
        monkeypatch.setattr(capacity, "side_by_side", lambda _, cores=cores: cores)
        folder = judged("sql_10")
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1]


def test_a_seed_that_has_diverged_has_achieved_nothing(root, judged, tmp_path):
    run = root / "results/runs/explore/sql_10"
    kept = shutil.copytree(run, tmp_path / "kept")
    weights = load_file(run / "weights.safetensors")
    with safe_open(run / "weights.safetensors", framework="numpy") as file:
        metadata = file.metadata()
    for values in weights.values():
        values[1] = np.nan
    save_file(weights, run / "weights.safetensors", metadata)
    let_fail(run, [1])
    table = read_table(judged("sql_10") / "robustness.csv")
    for perturbation in ("unchanged", "half_the_goals"):
        assert table[f"{perturbation}/success"][1] == 0
        assert table[f"{perturbation}/return"][1] == -np.inf
        assert np.isfinite(np.delete(table[f"{perturbation}/return"], 1)).all()
    exact = read_table(root / "results/runs/score/sql_10/scores.csv")
    assert np.isnan(exact["multigoal_10/reverse_kl/0:0"][1])
    assert np.isfinite(exact["multigoal_10/reverse_kl/0:0"][2])
    shutil.rmtree(run)
    shutil.move(kept, run)
