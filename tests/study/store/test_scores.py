import shutil

import pytest

from pipeline.study.answers.results import load_scores
from pipeline.study.errors import UserError
from pipeline.study.store.runs import same_temperature
from pipeline.study.training.results import load_runs
from tests.study.small import small


def test_a_temperature_is_recognised_however_it_was_rounded():
    assert same_temperature(10.0, 10.00001)
    assert not same_temperature(10.0, 10.01)
    assert same_temperature(None, None)
    assert not same_temperature(None, 1.0)


@pytest.fixture
def runs(tmp_path):
    shutil.copytree(small().root, tmp_path / "copy")
    return tmp_path / "copy/results/runs"


def test_a_score_of_other_seeds_is_refused(runs):
    path = runs / "score/ddpg/robustness.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    study = small().study
    with pytest.raises(UserError, match=r"has seeds .* dvc repro --force score@ddpg"):
        load_scores(study, load_runs(study, runs), runs)


def test_a_missing_score_says_how_to_compute_it(runs):
    shutil.rmtree(runs / "score/sql_10")
    study = small().study
    with pytest.raises(UserError, match="missing; compute it: dvc repro score@sql_10"):
        load_scores(study, load_runs(study, runs), runs)
