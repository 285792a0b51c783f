import pytest

from pipeline.study.answers.results import load_scores
from pipeline.study.report.exact_tables import MISSING, distances
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.store.scores import summarise
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    runs = root / "results/runs"
    study = small_study(root)
    found = load_scores(study, load_runs(study, runs), runs)
    return [score for score in found if score.exact]


@pytest.fixture(scope="module")
def metrics(scores):
    bootstrap = Bootstrap(seed=7, resamples=100, confidence=0.95)
    return summarise(scores, [], bootstrap)


def test_what_one_gaussian_can_do_stands_below_the_runs(scores, metrics):
    least = {"best_gaussian/-2:0": 0.064, "best_gaussian/0:0": 0.13}
    table = distances(scores, metrics, {"multigoal_10": least})
    *runs, last = table.rows
    assert [row[0].split("\n")[1] for row in runs] == [score.run.id for score in scores]
    assert last[:2] == ["best single Gaussian\nexact/multigoal_10", "multigoal_10"]
    below = dict(zip(table.columns, last, strict=True))
    assert below["KL at (-2, 0)"] == "0.06"
    assert below["KL at (0, 0)"] == "0.13"
    assert below["KL at (2.5, 2.5)"] == MISSING
    assert below["forward KL, worst place"] == MISSING
