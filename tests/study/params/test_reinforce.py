"""`kind: reinforce` in `params.yaml`: what may be said, and what is answered."""

import copy

import pytest

from pipeline.core.agents.settings import Reinforce
from tests.study.params.smoke import DATA

ALGORITHM = {
    "kind": "reinforce",
    "temperature": {"fixed": 0.1},
    "hidden": [32, 32],
    "learning_rate": 0.01,
    "steps_per_update": 50,
    "credit": "reward_to_go",
    "baseline": {"value_network": {"learning_rate": 0.01, "steps": 10}},
}
RATE = "baseline.value_network.learning_rate"
SWEEP = {"task": "multigoal", "space": {RATE: {"log_uniform": [0.001, 0.1]}}}


def with_reinforce(**changes):
    """The smoke study with a run of REINFORCE in every stage."""
    data = copy.deepcopy(DATA)
    data["algorithms"]["pg"] = ALGORITHM | changes
    data["sweep"]["runs"]["pg"] = copy.deepcopy(SWEEP)
    data["explore"]["runs"]["pg"] = {"algorithm": "pg", "task": "multigoal"}
    there = data["pretrain"]["runs"]["sql"]["task"]
    data["pretrain"]["runs"]["pg"] = {"algorithm": "pg", "task": there}
    there = data["finetune"]["runs"]["sql_from_sql"]["task"]
    run = {"algorithm": "pg", "task": there, "start": "pg"}
    data["finetune"]["runs"]["pg"] = run
    return data


@pytest.mark.parametrize("baseline", ["none", ALGORITHM["baseline"]])
def test_it_can_be_written_explored_swept_pretrained_and_finetuned(load, baseline):
    data = with_reinforce(baseline=baseline)
    if baseline == "none":
        data["sweep"]["runs"]["pg"]["space"] = {
            "learning_rate": {"log_uniform": [0.001, 0.1]}
        }
    assert isinstance(load(data).algorithms["pg"], Reinforce)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"baseline": "nonne"}, "pg.baseline: must be none or {value_network: …}, fou"),
        ({"baseline": {"value_network": {"steps": 3}}}, "learning_rate: missing"),
        ({"baseline": {"network": 3}}, "pg.baseline.network: unknown key"),
        ({"credit": "to_go"}, "'reward_to_go' or 'whole_return', found 'to_go'"),
        ({"replay": 100}, "pg.replay: unknown key; "),
        ({"steps_per_update": 1}, "must be at least 2, found 1"),
        ({"steps_per_update": 10**6}, "(algorithms.pg.steps_per_update is 1000000)"),
        ({"baseline": "none"}, f"space.{RATE}: cannot be searched"),
    ],
)
def test_mistakes_are_answered(refused, changes, said):
    assert said in refused(with_reinforce(**changes))


def test_networks_that_do_not_fit_are_refused(refused):
    data = with_reinforce()
    data["algorithms"]["plain"] = ALGORITHM | {"baseline": "none"}
    data["sweep"]["runs"]["plain"] = {"task": "multigoal", "space": {}}
    data["finetune"]["runs"]["pg"]["algorithm"] = "plain"
    assert (
        "'pg' trains reinforce networks of hidden: [32, 32] with baseline: "
        "value_network, but 'plain' needs reinforce networks of hidden: [32, 32] "
        "with baseline: none"
    ) in refused(data)
