import shutil
from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.answers.results import load_compositions, load_scores
from pipeline.study.claims.exact import judge_exact
from pipeline.study.errors import UserError
from pipeline.study.params.load import load_study
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.store.scores import rivals, summarise
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study

BOOTSTRAP = Bootstrap(seed=7, resamples=100, confidence=0.95)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    small_study(root)
    return root


@pytest.fixture(scope="module")
def scores(root):
    study, runs = load_study(root / "params.yaml"), root / "results/runs"
    return load_scores(study, load_runs(study, runs), runs)


@pytest.fixture(scope="module")
def compositions(root):
    return load_compositions(load_study(root / "params.yaml"), root / "results/runs")


def named(scores, name):
    (found,) = [score for score in scores if score.run.name == name]
    return found


def test_a_run_is_measured_against_ddpg_and_sac_of_its_temperature(scores):
    def against(name):
        return [rival.run.name for rival in rivals(named(scores, name), scores)]

    assert against("sql_10") == ["sac_10", "ddpg"]
    assert against("sac_10") == ["ddpg"]
    assert against("sql_swept") == ["ddpg"]
    assert against("ddpg") == []
    assert against("sql_east") == [], "nobody else is on its task"


def test_numbers_are_filed_by_oracle_metric_and_place(scores, compositions):
    found = summarise(scores, compositions, BOOTSTRAP)
    entry = found["explore"]["sql_10"]["exact"]["multigoal_10"]["reverse_kl"]["0:0"]
    values = named(scores, "sql_10").exact["multigoal_10/reverse_kl/0:0"]
    assert entry["low"] <= entry["iqm"] <= entry["high"]
    assert values.min() <= entry["iqm"] <= values.max()
    push = found["explore"]["sql_10"]["robustness"]["push"]
    assert set(push["probability_of_improvement"]) == {
        "explore/sac_10",
        "explore/ddpg",
    }
    assert "exact" not in found["explore"]["sql_east"]
    assert found["compose"]["both"]["oracle"]["oracle/success"] == 0.99


class TestClaims:
    def test_winning_against_both_rivals_is_needed(self, scores, compositions):
        found = judge_exact(scores, compositions, BOOTSTRAP)
        pushed = [claim for claim in found if claim.statement.endswith(": push.")]
        assert [claim.verdict for claim in pushed] == ["reproduced"]
        sac = named(scores, "sac_10")
        strong = replace(sac, robustness={key: np.ones(5) for key in sac.robustness})
        others = [strong if score is sac else score for score in scores]
        (claim,) = [
            claim
            for claim in judge_exact(others, compositions, BOOTSTRAP)
            if claim.statement.endswith(": push.")
        ]
        assert claim.verdict == "not reproduced"
        assert claim.runs == ("explore/sql_10", "explore/sac_10", "explore/ddpg")

    def test_nearer_to_the_exact_policy_means_a_lower_divergence(self, scores):
        (claim,) = [
            claim
            for claim in judge_exact(scores, [], BOOTSTRAP)
            if "nearer" in claim.statement
        ]
        assert claim.verdict == "reproduced"
        assert claim.runs == ("explore/sql_10", "explore/sac_10")

    def test_every_seed_of_a_composition_must_reach_both(self, scores, compositions):
        (claim,) = judge_exact([], compositions, BOOTSTRAP)
        assert claim.verdict == "reproduced"
        (one,) = compositions
        poor = replace(one, final={**one.final, "success": np.full(5, 0.4)})
        (claim,) = judge_exact([], [poor], BOOTSTRAP)
        assert claim.verdict == "not reproduced"


def test_a_score_of_other_seeds_is_refused(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    runs = tmp_path / "copy/results/runs"
    path = runs / "score/ddpg/robustness.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    study = load_study(root / "params.yaml")
    with pytest.raises(UserError, match=r"has seeds .* dvc repro --force score@ddpg"):
        load_scores(study, load_runs(study, runs), runs)


def test_a_missing_score_says_how_to_compute_it(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    runs = tmp_path / "copy/results/runs"
    shutil.rmtree(runs / "score/sql_10")
    study = load_study(root / "params.yaml")
    with pytest.raises(UserError, match="missing; compute it: dvc repro score@sql_10"):
        load_scores(study, load_runs(study, runs), runs)
