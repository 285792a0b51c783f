"""`noise_set` in `params.yaml`, and what else fine-tuning may have of its own."""

import copy

import pytest

from tests.study.params.smoke import DATA

SET = {"size": 8, "share": 0.5}


def finetuned(**changes):
    """The smoke study, whose fine-tuning has an algorithm of its own."""
    data = copy.deepcopy(DATA)
    own = copy.deepcopy(data["algorithms"]["sql"]) | {"candidates": 1} | changes
    data["algorithms"]["sql_finetune"] = own
    data["sweep"]["runs"]["sql_finetune"] = {"task": "multigoal", "space": {}}
    run = data["finetune"]["runs"]["sql_from_sql"]
    run |= {"algorithm": "sql_finetune", "temperature": 0.001}
    return data


@pytest.mark.parametrize(
    "changes",
    [
        {"noise_set": SET},
        {"warmup": 1},
        {"temperature": {"fixed": 1.0, "annealing": {"temperature": 2.0, "share": 1}}},
        {"learning_rate": {"q": 1e-4, "policy": 1e-5, "constant": 1.0}},
        {"replay": 100, "updates_per_step": 3, "target": {"update_every": 10}},
    ],
)
def test_finetuning_may_differ_in_all_but_networks(load, changes):
    study = load(finetuned(**changes))
    assert study.finetune.runs["sql_from_sql"].algorithm == "sql_finetune"


@pytest.mark.parametrize(
    ("changes", "networks"),
    [
        ({"critics": 2}, "hidden: [32, 32] with critics: 2"),
        ({"hidden": [32]}, "hidden: [32] with critics: 1"),
    ],
)
def test_other_networks_are_refused(refused, changes, networks):
    assert (
        "'sql' trains sql networks of hidden: [32, 32] with critics: 1, "
        f"but 'sql_finetune' needs sql networks of {networks}"
    ) in refused(finetuned(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"noise_set": SET | {"share": 0.0}}, "share: must be greater than 0, found"),
        ({"noise_set": SET | {"share": 1.5}}, "share: must be at most 1, found 1.5"),
        ({"noise_set": SET | {"size": 1}}, "size: must be at least 2, found 1"),
        ({"noise_set": SET | {"size": 2.5}}, "size: must be a whole number, found"),
        ({"noise_set": {"size": 8}}, "share: missing"),
        ({"noise_set": 8}, "with the keys size, share, found 8"),
        ({"noise_set": SET, "candidates": 4}, "needs candidates: 1, as draws from"),
    ],
)
def test_mistakes_are_answered_with_their_line(refused, changes, said):
    message = refused(finetuned(**changes))
    assert "algorithms.sql_finetune.noise_set" in message
    assert said in message
    assert message.startswith("params.yaml:")


def test_the_sampler_learns_at_no_more_states_than_a_batch_has(refused):
    particles = {"states": 33, "fixed": 8, "updated": 8}
    message = refused(finetuned(particles=particles, batch=32))
    assert "no more states than the batch of 32 has, found 33" in message
