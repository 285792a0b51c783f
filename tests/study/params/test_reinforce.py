"""`kind: reinforce` in `params.yaml`: what may be said, and what is answered."""

import copy
from pathlib import Path

import pytest

from pipeline.core.agents.settings import Reinforce
from pipeline.study.params.load import load_study
from pipeline.study.params.yaml_lines import ParamsError
from pipeline.study.store.files import read_yaml, write_yaml

DATA = read_yaml(Path(__file__).parents[3] / "studies" / "smoke.yaml")
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
    where = data["pretrain"]["runs"]["sql"]["task"], "pg"
    data["pretrain"]["runs"]["pg"] = dict(
        zip(("task", "algorithm"), where, strict=True)
    )
    there = data["finetune"]["runs"]["sql_from_sql"]["task"]
    run = {"algorithm": "pg", "task": there, "start": "pg"}
    data["finetune"]["runs"]["pg"] = run
    return data


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(data):
        write_yaml(Path("params.yaml"), data)
        return load_study(Path("params.yaml"))

    return load


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
        (
            {"credit": "to_go"},
            "must be 'reward_to_go' or 'whole_return', found 'to_go'",
        ),
        ({"replay": 100}, "pg.replay: unknown key; "),
        ({"steps_per_update": 1}, "must be at least 2, found 1"),
        ({"steps_per_update": 10**6}, "(algorithms.pg.steps_per_update is 1000000)"),
        ({"baseline": "none"}, f"space.{RATE}: cannot be searched"),
    ],
)
def test_mistakes_are_answered(load, changes, said):
    with pytest.raises(ParamsError) as caught:
        load(with_reinforce(**changes))
    assert said in str(caught.value)


def test_networks_that_do_not_fit_are_refused(load):
    data = with_reinforce()
    data["algorithms"]["plain"] = ALGORITHM | {"baseline": "none"}
    data["sweep"]["runs"]["plain"] = {"task": "multigoal", "space": {}}
    data["finetune"]["runs"]["pg"]["algorithm"] = "plain"
    with pytest.raises(ParamsError) as caught:
        load(data)
    said = str(caught.value)
    assert (
        "'pg' trains reinforce networks of hidden: [32, 32] with baseline: "
        "value_network, but 'plain' needs reinforce networks of hidden: [32, 32] "
        "with baseline: none"
    ) in said
