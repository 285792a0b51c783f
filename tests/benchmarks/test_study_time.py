import shutil
from pathlib import Path

import pytest

from benchmarks import stage_clock, study_time
from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_yaml, write_yaml
from tests.projects import ROOT, run
from tests.stages.trained import written
from tests.study.checked import check

EXPLORED = Path("results/runs/explore/ddpg")
PIPELINE = f"""
stages:
  theorems: {{cmd: python -m stages.theorems}}
  explore:
    foreach: [ddpg]
    do: {{cmd: 'python -m stages.explore ${{item}}', outs: [{EXPLORED}]}}
"""


@pytest.fixture
def project(checkout):
    """A training and a computation that are to be done by DVC."""
    said = read_yaml(ROOT / "studies/smoke.yaml")
    said["study"]["seeds"] = [0, 1]
    said["explore"]["steps"] = 200
    write_yaml(checkout / "params.yaml", said)
    check(load_study())
    write_yaml(checkout / "results/sweep/ddpg/best.yaml", said["algorithms"]["ddpg"])
    (checkout / "dvc.yaml").write_text(PIPELINE)
    run(checkout, "dvc", "init", "-q", "--no-scm")
    return checkout


@pytest.mark.slow
def test_every_second_of_a_core_has_its_part_and_no_result_knows(project):
    found = {str(row["stage"]): row for row in study_time.reproduced(project)}
    assert list(found) == ["theorems", "explore@ddpg", "dvc"]
    for row in found.values():
        parts = [row[part] for part in study_time.PARTS]
        assert sum(parts) == pytest.approx(row["cores"] * row["wall"])
        assert all(part >= 0 for part in parts)
    trained, computed = found["explore@ddpg"], found["theorems"]
    assert {part for part in study_time.PARTS if not trained[part]} == {
        study_time.COMPUTING
    }
    assert computed[study_time.COMPUTING]
    assert not computed[stage_clock.TRAINING]

    clocked = written(project / EXPLORED)
    shutil.rmtree(project / EXPLORED)
    run(project, "python", "-m", "stages.explore", "ddpg")
    assert written(project / EXPLORED) == clocked


@pytest.mark.parametrize(
    ("stage", "rest"),
    [("explore@sql", stage_clock.TRACKING), ("report", study_time.COMPUTING)],
)
def test_what_nobody_has_charged_is_what_the_stages_own_process_is_for(
    stage, rest, monkeypatch
):
    monkeypatch.setattr(study_time, "available_cores", lambda: 2)
    told = {stage_clock.WALL: 5.0, stage_clock.BUSY: 7.0, stage_clock.START: 4.0}
    row = study_time.row(stage, told)
    assert row[rest] == 7.0 - 4.0
    assert row[study_time.IDLE] == 2 * 5.0 - 7.0


def test_tracking_has_its_share_of_what_is_not_idle_in_stages_that_train():
    none = dict.fromkeys(study_time.PARTS, 0.0) | {stage_clock.WALL: 1.0}
    rows = [
        {"stage": "report", **none, study_time.COMPUTING: 1.0, study_time.IDLE: 1.0},
        *(
            {"stage": name, **none, stage_clock.TRAINING: 9.0, stage_clock.TRACKING: x}
            for name, x in (("explore@sql", 1.0), ("explore@sac", 3.0))
        ),
    ]
    *_, everything, shares, _, sentence = "\n".join(study_time.lines(rows)).split("\n")
    assert everything == "| all | 3.0 | 0.0 | 0.0 | 18.0 | 0.0 | 4.0 | 1.0 | 1.0 |"
    assert shares.startswith("| share, % |  | 0.0 | 0.0 | 75.0 ")
    assert " 18.2 % is " in sentence
    assert " 18 (10 … 25) %" in sentence
