import json
import shutil

import numpy as np
import pytest

from pipeline.study.errors import UserError
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study


@pytest.fixture
def root(tmp_path):
    return tmp_path / "results/runs"


@pytest.fixture
def study(tmp_path):
    return small_study(tmp_path)


def test_runs_come_in_the_order_of_the_study(study, root):
    runs = load_runs(study, root)
    assert [run.id for run in runs] == [
        "explore/sql_swept",
        "explore/sql_10",
        "explore/sac_10",
        "explore/ddpg",
        "explore/sql_east",
        "explore/sql_west",
        "pretrain/sql",
        "pretrain/ddpg",
        "finetune/sql_from_sql",
        "finetune/ddpg_from_ddpg",
        "scratch/sql",
        "scratch/ddpg",
    ]
    assert runs[1].seeds == study.study.seeds
    assert (runs[1].temperature, runs[1].swept) == (10.0, False)
    assert (runs[3].temperature, runs[0].swept) == (None, True)


def test_a_curve_has_the_steps_at_which_something_was_measured(study, root):
    run = load_runs(study, root)[0]
    curve = run.curve("evaluation/return")
    assert curve.steps.tolist() == [500, 1000, 1500, 2000]
    assert curve.values.shape == (4, 5)
    assert np.isfinite(curve.values).all()


def test_a_curve_has_a_gap_where_one_seed_has_no_number(study, root):
    path = root / "explore/ddpg/records.csv"
    header, first, *rest = path.read_text().splitlines()
    assert first.startswith("0,100,")
    loss = header.split(",").index("train/q_loss")
    cells = first.split(",")
    cells[loss] = ""
    path.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    curve = load_runs(study, root)[3].curve("train/q_loss")
    assert np.isnan(curve.values[0]).tolist() == [True, False, False, False, False]


def test_a_folder_that_is_no_run_of_the_study_is_refused(study, root):
    (root / "explore/sql_old").mkdir()
    with pytest.raises(UserError, match=r"sql_old is not a run .* \(rm -r .*sql_old\)"):
        load_runs(study, root)


def test_what_a_killed_stage_left_is_no_run(study, root):
    (root / "explore/.sql_10.tmp").mkdir()
    assert len(load_runs(study, root)) == len(list(study.all_runs()))


def test_a_missing_run_is_refused_with_the_line_that_computes_it(study, root):
    shutil.rmtree(root / "scratch/sql")
    with pytest.raises(UserError, match=r"missing; compute it: dvc repro scratch@sql$"):
        load_runs(study, root)


class TestStepsOfItsOwn:
    @pytest.fixture
    def study(self, study):
        """The runs are of 2000 steps, as their stage; one should have 1500."""
        run = study.runs("explore")["ddpg"].model_copy(update={"steps": 1500})
        runs = study.runs("explore") | {"ddpg": run}
        explore = study.explore.model_copy(update={"runs": runs})
        return study.model_copy(update={"explore": explore})

    def test_they_are_what_a_run_must_have(self, study, root):
        with pytest.raises(UserError, match="for 2000 steps, the study says 1500"):
            load_runs(study, root)

    def test_they_are_what_its_budget_is(self, study, root):
        path = root / "explore/ddpg/run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"steps": 1500}))
        steps = {run.id: run.steps for run in load_runs(study, root)}
        assert (steps["explore/ddpg"], steps["explore/sql_10"]) == (1500, 2000)


def test_a_missing_seed_is_refused(study, root):
    path = root / "explore/ddpg/final.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match=r"has seeds \[0, 1, 2, 3\], the study \[0, 1"):
        load_runs(study, root)


def test_a_run_of_another_length_is_refused(study, root):
    path = root / "explore/ddpg/run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"steps": 7}))
    with pytest.raises(UserError, match="trained for 7 steps, the study says 2000"):
        load_runs(study, root)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("run.json", lambda text: text[: len(text) // 2]),
        ("run.json", lambda text: "{}"),
        ("run.json", lambda text: "[]"),
        ("run.json", lambda text: text.replace('"batch"', '"bach"')),
        ("final.csv", lambda text: text[: len(text) // 2]),
        ("final.csv", lambda text: ""),
        ("final.csv", lambda text: text.replace("seed", "sed", 1)),
        ("final.csv", lambda text: text.replace("\n0,", "\n,", 1)),
        ("records.csv", lambda text: text[: len(text) // 2]),
        ("records.csv", lambda text: text.replace("\n0,", "\nzero,", 1)),
        ("records.csv", lambda text: text.replace("step", "stop", 1)),
        ("behaviour.safetensors", lambda text: text[:100]),
    ],
)
def test_a_damaged_file_is_one_line_with_the_command_that_mends_it(
    study, root, file, damage
):
    path = root / "explore/sql_10" / file
    text = path.read_text(encoding="latin-1")
    path.write_text(damage(text), encoding="latin-1")

    def read():
        for run in load_runs(study, root):
            run.curve("evaluation/return")
            run.behaviour()

    with pytest.raises(UserError) as error:
        read()
    message = str(error.value)
    assert message.startswith(f"{path} is damaged (")
    assert f"dvc checkout --force {path}" in message
    assert message.endswith("dvc repro explore@sql_10")
    assert "\n" not in message
