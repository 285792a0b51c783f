from dataclasses import replace

import numpy as np
import pytest

from pipeline.study.claims.base import Evidence
from pipeline.study.claims.judge import judge
from tests.study.small import BOOTSTRAP, small, with_final

EVIDENCE = small().evidence


def judged(runs=(), scores=(), compositions=()):
    return judge(Evidence(runs, scores, compositions, BOOTSTRAP))


@pytest.fixture(scope="module")
def claims():
    return judge(EVIDENCE)


def test_every_claim_that_the_study_can_test_is_judged_in_the_order_of_papers(claims):
    assert [(claim.runs, claim.verdict) for claim in claims][:4] == [
        (("explore/sql_10",), "reproduced"),
        (("explore/ddpg",), "reproduced"),
        (("explore/sql_10", "explore/ddpg"), "reproduced"),
        (("pretrain/sql", "pretrain/ddpg"), "reproduced"),
    ]
    assert claims[4].statement.startswith("Pretrained soft Q-learning moves in all")
    assert claims[5].statement.endswith("half the steps of any comparator.")
    assert [claim.runs[1] for claim in claims[5:11]] == [
        "finetune/ddpg_from_ddpg",
        "finetune/ddpg_from_ddpg",
        "scratch/sql",
        "scratch/ddpg",
        "finetune/ddpg_from_ddpg",
        "explore/sac_10",
    ]
    assert [claim.statement.split(": ")[-1] for claim in claims[11:14]] == [
        "half the goals.",
        "obstacle.",
        "push.",
    ]
    assert [claim.runs[0] for claim in claims[14:]] == ["compose/both"] * 2


def test_a_study_without_the_runs_has_no_claims():
    assert judged() == []


def test_what_was_measured_is_said_in_numbers(claims):
    assert claims[0].measured == "5 of 5 seeds reach all four"
    assert "goals reached per seed: 1, 1, 1, 1, 1" in claims[1].measured
    assert claims[2].measured == "P(multi_goal_score higher) = 1.00 [1.00, 1.00]"
    assert "(5 of 5 seeds) against" in claims[6].measured


def test_one_seed_that_fails_leaves_a_claim_undecided():
    run = small().run("explore/sql_10")
    goals = np.array([4.0, 4, 4, 4, 3])
    (claim,) = judged([with_final(run, {"goals_reached": goals})])
    assert (claim.verdict, claim.measured) == (
        "undecided",
        "4 of 5 seeds reach all four",
    )


def test_winning_against_both_comparators_is_needed():
    def pushed(scores):
        found = judged(scores=scores)
        (claim,) = [one for one in found if one.statement.endswith(": push.")]
        return claim

    assert pushed(EVIDENCE.scores).verdict == "reproduced"
    sac = small().score("sac_10")

    def with_sac_at(share):
        robustness = {key: np.full(5, share) for key in sac.robustness}
        other = replace(sac, robustness=robustness)
        return pushed([other if one is sac else one for one in EVIDENCE.scores])

    assert with_sac_at(1.2).verdict == "not reproduced"
    assert with_sac_at(1.2).runs == ("explore/sql_10", "explore/sac_10", "explore/ddpg")
    # Three hundredths more on every seed are no more.
    alike = with_sac_at(1.0)
    assert (alike.verdict, alike.to_decide) == (
        "undecided",
        "no number of seeds would",
    )


def test_nearer_to_the_exact_policy_means_a_lower_divergence():
    found = judged(scores=EVIDENCE.scores)
    (claim,) = [claim for claim in found if "nearer" in claim.statement]
    assert claim.verdict == "reproduced"
    assert claim.runs == ("explore/sql_10", "explore/sac_10")


def test_seeds_that_failed_are_far_from_the_exact_policy_and_withstand_nothing():
    sql = small().score("sql_10")
    failed = replace(
        sql,
        exact={name: np.full(5, np.nan) for name in sql.exact},
        robustness={name: np.full(5, np.nan) for name in sql.robustness},
    )
    found = judged(scores=[failed if one is sql else one for one in EVIDENCE.scores])
    claims = [claim for claim in found if claim.runs[0] == "explore/sql_10"]
    assert {claim.verdict for claim in claims} == {"not reproduced"}
    assert "medians inf against" in claims[0].measured
    assert claims[1].measured.startswith("success within the attempts from 0% of")


def test_comparators_that_failed_prove_nothing():
    others = []
    for score in EVIDENCE.scores:
        other = replace(score.run)
        if other.algorithm.kind != "sql":
            vars(other)["failures"] = dict.fromkeys(other.seeds, 100)
        others.append(replace(score, run=other))
    claims = [one for one in judged(scores=others) if len(one.runs) > 1]
    assert len(claims) == 4
    assert {claim.verdict for claim in claims} == {"not reproduced"}


def composed(summary=(), **final):
    """Claims of a composition, each column of which has one number for every seed."""
    (one,) = EVIDENCE.compositions
    columns = {name: np.array(values) for name, values in final.items()}
    return judged(
        compositions=[
            replace(
                one,
                final={**one.final, **columns},
                summary={**one.summary, **dict(summary)},
            )
        ]
    )


def test_every_seed_of_a_composition_must_reach_both():
    assert composed()[0].verdict == "reproduced"
    assert composed(success=[0.4] * 5)[0].verdict == "not reproduced"


def test_every_seed_of_a_composition_must_keep_each_goal():
    claim = composed(rarest_shared_goal=[0.35, 0.36, 0.4, 0.45, 0.5])[1]
    assert claim.verdict == "reproduced"
    assert claim.measured == (
        "on 5 of 5 seeds the rarest goal has at least 35% of episodes (35% to 50%; "
        "the exact policy's has 49%)"
    )
    claim = composed(rarest_shared_goal=[0.34, 0.36, 0.4, 0.45, 0.5])[1]
    assert claim.verdict == "undecided"
    claim = composed(rarest_shared_goal=[0.0, 0.1, 0.2, 0.45, 0.5])[1]
    assert claim.verdict == "not reproduced"


def test_goals_that_the_exact_policy_has_less_often_are_not_claimed():
    exact = "oracle/rarest_shared_goal"
    assert len(composed({exact: 0.33})) == 1
    (one,) = EVIDENCE.compositions
    nothing_shared = {key: n for key, n in one.summary.items() if key != exact}
    assert len(judged(compositions=[replace(one, summary=nothing_shared)])) == 1
