import torch

from pipeline.core.config.learner import PeriodicTarget, SmoothTarget
from pipeline.core.learning import value_table
from pipeline.core.memory.replay import Replay
from tests.core.configs import algorithm
from tests.core.updating import fresh

STEPS, EVERY = 40, 4
SEEDS = [3, 4]
COPIED = {"target": PeriodicTarget(update_every=EVERY)}
CONFIG = algorithm("sql").model_copy(
    update=COPIED | {"batch": 16, "value_particles": 4000}
)


def population(config=CONFIG):
    return fresh(config, SEEDS, actions=1)


def filled(count, *, capacity=STEPS):
    replay = Replay(2, capacity, states=2, actions=1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(count):
        state, state_next = torch.randn(2, 2, 2, generator=generator)
        action = torch.rand(2, 1, generator=generator)
        replay.add(state, action, torch.randn(2), state_next, torch.zeros(2))
    return replay


def table(agent, replay, config=CONFIG):
    return value_table.make(agent, config, replay, steps=STEPS)


def uniform(count=200):
    return torch.rand(2, count, generator=torch.Generator().manual_seed(1))


def test_the_values_are_those_that_an_update_would_compute():
    # Both are means over 4000 points of a lattice, which agree to their error.
    agent, replay = population(), filled(20)
    batch = table(agent, replay).sample(uniform(16), update=0)
    assert batch.value_next is not None
    shifts = agent._proposals.shifts.at(0)
    direct = agent._estimate(batch.state_next, shifts, agent.temperature)
    torch.testing.assert_close(batch.value_next, direct, atol=2e-3, rtol=0)


def test_they_stay_until_the_slow_network_is_copied():
    agent, replay = population(), filled(20)
    values = table(agent, replay)
    before = values.sample(uniform(), update=0)
    agent.networks()["q_target"].add_(0.3)
    for update in range(1, EVERY):
        same = values.sample(uniform(), update=update)
        assert torch.equal(same.value_next, before.value_next)
    after = values.sample(uniform(), update=EVERY)
    assert not torch.allclose(after.value_next, before.value_next, atol=0.05)


def test_what_is_kept_later_is_drawn_after_the_next_copy():
    agent, replay = population(), filled(10)
    values = table(agent, replay)
    values.sample(uniform(), update=0)
    marker = torch.full((2, 2), 9.0)
    replay.add(marker, torch.zeros(2, 1), torch.zeros(2), marker, torch.zeros(2))
    early = values.sample(uniform(), update=EVERY - 1)
    late = values.sample(uniform(), update=EVERY)
    assert not (early.state == 9.0).any()
    assert (late.state == 9.0).any()


def test_every_draw_of_actions_is_another_one():
    coarse = CONFIG.model_copy(update={"value_particles": 2})
    agent, replay = population(coarse), filled(20)
    values = table(agent, replay, coarse)
    first = values.sample(uniform(), update=0).value_next
    second = values.sample(uniform(), update=EVERY).value_next
    assert not torch.allclose(first, second, atol=1e-4)


def test_it_continues_from_its_state():
    agent, replay = population(), filled(20)
    values, again = table(agent, replay), table(agent, replay)
    before = values.sample(uniform(), update=0)
    again.load_state({name: x.clone() for name, x in values.state().items()})
    after = again.sample(uniform(), update=1)
    assert torch.equal(before.value_next, after.value_next)


def test_there_is_one_only_where_it_stays_true_and_saves_work():
    agent, replay = population(), filled(5)
    assert table(agent, replay) is not None
    smooth = CONFIG.model_copy(update={"target": SmoothTarget(tau=0.1)})
    forgets = CONFIG.model_copy(update={"replay": STEPS - 1})
    rare = CONFIG.model_copy(update={"batch": 2})
    for config in (smooth, forgets, rare):
        assert table(agent, replay, config) is None
    assert value_table.make(population("ddpg"), CONFIG, replay, steps=STEPS) is None
