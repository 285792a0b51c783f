"""What stands in for an optimisation computes the same."""

from dataclasses import replace
from unittest import mock

import pytest
import torch

from benchmarks.speed.subject import Case, batches
from benchmarks.speed.switches import CASES, SWITCHES, population_without

UPDATES = 3
SMALL = {
    learner: Case(learner, 2, 16, 8, 4, critics=2 if learner == "sql" else 1)
    for learner in ("sql", "sac")
}
EVERY = [
    (learner, name)
    for name, switch in SWITCHES.items()
    for learner in switch.learners
    if switch.replaced and name != "random numbers in blocks"
]
"""A block is part of the definition of a stream: other blocks, other numbers."""


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def learned(case, name):
    agent = population_without(case, SWITCHES[name])
    for index, batch in enumerate(batches(case)[:UPDATES]):
        agent.update(batch, index=index)
    return agent.networks()


@pytest.mark.parametrize(("learner", "name"), EVERY)
def test_it_computes_the_same(learner, name):
    expected = learned(SMALL[learner], "nothing")
    for network, weights in learned(SMALL[learner], name).items():
        torch.testing.assert_close(weights, expected[network], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("learner", "name"), EVERY)
def test_it_is_what_learns(learner, name):
    class UsedError(Exception):
        pass

    patches = SWITCHES[name].replaced
    broken = tuple((*place, mock.Mock(side_effect=UsedError)) for *place, _ in patches)
    with pytest.raises(UsedError):
        population_without(SMALL[learner], replace(SWITCHES[name], replaced=broken))


def test_every_case_has_its_switches():
    for case in CASES:
        assert any(case.learner in switch.learners for switch in SWITCHES.values())
