"""What an update must compute, against formulas and against PyTorch's own count."""

import pytest
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed.necessary import (
    Product,
    flops,
    matrix_products,
    multiplying,
    products,
)
from benchmarks.speed.subject import ACTIONS, STATES, Case, updating

CASES = [
    Case(learner, members, width, batch, particles)
    for learner in ("sql", "sac", "ddpg")
    for members, width, batch, particles in [(1, 24, 6, 5), (3, 16, 8, 4)]
]


def forward(case, states, points, output, action=ACTIONS):
    """F(S, P) of docs/benchmarks.md."""
    h = case.width
    return 2 * (states * STATES * h + points * (action * h + h**2 + h * output))


def to_hidden(case, points, output):
    """H(P)."""
    return 2 * points * (case.width**2 + case.width * output)


def to_action(case, points, output):
    """A(P)."""
    return to_hidden(case, points, output) + 2 * points * ACTIONS * case.width


def on_paper(case):
    """The table of updates in docs/benchmarks.md."""
    b, k = case.batch, case.batch * case.particles
    critic = forward(case, b, b, 1)
    if case.learner == "sql":
        return case.members * (
            forward(case, b, k, 1)
            + 2 * critic
            + to_hidden(case, b, 1)
            + forward(case, b, 2 * k, ACTIONS)
            + forward(case, b, k, 1)
            + to_action(case, k, 1)
            + forward(case, b, k, ACTIONS)
            + to_hidden(case, k, ACTIONS)
        )
    critics, output = (2, 2 * ACTIONS) if case.learner == "sac" else (1, ACTIONS)
    return case.members * (
        3 * forward(case, b, b, output, action=0)
        + to_hidden(case, b, output)
        + critics * (4 * critic + to_hidden(case, b, 1) + to_action(case, b, 1))
    )


def counted(run):
    """What PyTorch counts in one call."""
    with FlopCounterMode(display=False) as counter:
        run(1)
    return counter.get_total_flops()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_list_of_products_is_what_the_formulas_say(case):
    assert flops(products(case)) == on_paper(case)


def test_the_update_of_the_first_target_needs_what_the_document_says():
    assert round(flops(products(Case("sql", 1, 128, 256))) / 1e9, 2) == 1.04


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_update_multiplies_what_it_must_and_hardly_more(case):
    run = updating(case)
    # PyTorch counts products, but not the sums of critics' last layers.
    more = counted(run) - flops(matrix_products(case))
    # Soft Q-learning: the kernel's attraction, and the states' share of the sampler
    # a second time if fixed and updated particles are drawn apart. The others:
    # gradients of states, which are joined with actions.
    attraction = 2 * case.batch * case.particles**2 * ACTIONS
    share = 2 * case.batch * STATES * case.width
    allowed = {"sql": attraction + share, "sac": 2 * share, "ddpg": share}
    assert 0 <= more <= case.members * allowed[case.learner]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_but_the_last_layers_of_critics_are_products_of_matrices(case):
    points = case.batch * (case.particles if case.learner == "sql" else 1)
    # Once to a target, forward, to weights and back; and forward and back to actions.
    times = (points + 3 * case.batch) + 2 * points
    critics = 2 if case.learner == "sac" else 1
    sums = 2 * case.members * critics * times * case.width
    assert flops(products(case)) - flops(matrix_products(case)) == sums


def test_the_bare_products_are_the_listed_ones():
    necessary = products(CASES[1])
    assert counted(multiplying(necessary)) == flops(necessary)


@pytest.mark.parametrize("turned", ["neither", "left", "right"])
def test_factors_have_the_shapes_of_their_product(turned):
    product = Product(2, 3, 4, 5, turned)
    assert product.flops == 2 * 2 * 3 * 4 * 5
    assert counted(multiplying([product])) == product.flops
