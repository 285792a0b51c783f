import shutil
from dataclasses import replace

import pytest

from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.study.answers.results import load_hard_limit
from pipeline.study.store.files import read_csv, read_json
from stages import compare
from tests.study.small import BOOTSTRAP, small
from tests.study.synthetic import small_study


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return small_study(tmp_path)


def test_writes_numbers_claims_one_summary_a_run_and_curves(tmp_path):
    compare.main()
    out = tmp_path / "results/compare"
    assert "sql_10" in read_json(out / "metrics.json")["explore"]
    claims = read_json(out / "claims.json")
    # Ten, and seven about exact answers, changed tasks, the hard limit, composition.
    assert len(claims) == 10 + 7
    assert all(
        {"published", "intervals", "seeds", "rule"} <= one.keys() for one in claims
    )
    assert {
        bool(one["to_decide"]) == (one["verdict"] == "undecided") for one in claims
    } == {True}
    assert read_json(out / "summary/scratch/ddpg.json").keys() == {
        "objective",
        "iqm",
        "low",
        "high",
        "return",
    }
    rows = read_csv(out / "curves/finetune_swimmer_forward-return.csv")
    assert list(rows[0]) == ["run", "step", "iqm", "low", "high"]
    assert {row["run"] for row in rows} == {
        "sql_from_sql",
        "ddpg_from_ddpg",
        "scratch/sql",
        "scratch/ddpg",
    }


def test_writes_the_same_bytes_twice(tmp_path):
    def written():
        compare.main()
        out = tmp_path / "results/compare"
        return {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    first = written()
    assert first == written()
    # Metrics and claims; a line for each run; curves of four tasks explored or not.
    assert len(first) == 2 + 12 + 3 * 5 + 3 + 3


def test_tasks_and_metrics_whose_names_join_alike_have_their_own_curves(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(Navigation, "curves", ("distance", "forward_distance"))
    swimmer = small().run("pretrain/sql")
    runs = [replace(swimmer, task_name=name) for name in ("swimmer", "swimmer_forward")]
    compare.write_curves(runs, BOOTSTRAP)
    written = {path.name for path in (tmp_path / "results/compare/curves").iterdir()}
    assert len(written) == 2 * 2
    assert "pretrain_swimmer-forward_distance.csv" in written
    assert "pretrain_swimmer_forward-distance.csv" in written


def test_without_theorems_nothing_is_said_about_the_hard_limit(study):
    assert load_hard_limit(study) is not None
    assert load_hard_limit(study.model_copy(update={"theorems": None})) is None


def test_a_stranger_ends_in_one_line_and_writes_nothing(tmp_path, capsys):
    shutil.copytree("results/runs/scratch/sql", "results/runs/scratch/left_over")
    with pytest.raises(SystemExit, match="2"):
        compare.main()
    assert capsys.readouterr().err.startswith(
        "error: results/runs/scratch/left_over is not a run of this study; remove it"
    )
    assert not (tmp_path / "results/compare").exists()
