"""Populations that learn from made-up batches, and checks that they are the same.

`same` and `table` compare compiled updates with eager ones. They are run in a process
of their own: shapes that are checked while tests run cannot be compiled. Compiling is
what takes time, so that networks are small and every program is compiled once.
"""

import torch

from pipeline.core.agents import factory, sql
from pipeline.core.config.computation import PLAIN
from pipeline.core.job import Job
from pipeline.core.memory.replay import Batch
from pipeline.core.population.programs import programs
from pipeline.core.training.loop import Training
from tests.core.configs import algorithm, task

STATES, ACTIONS, DISCOUNT = 3, 2, 0.9
SEEDS = (4, 5, 6)
BATCH = 8
COMPILED = PLAIN.model_copy(update={"compile": "always"})
SMALL = {"hidden": (8,)}


def fresh(config, seeds=(0, 1), *, states=2, actions=2, **others):
    """A population of an algorithm, of which a name is enough."""
    config = algorithm(config) if isinstance(config, str) else config
    sizes = {"states": states, "actions": actions, "discount": DISCOUNT}
    return factory.make([config] * len(seeds), seeds, **sizes, **others)


def make(name, seeds=SEEDS, computation=PLAIN, **changes):
    config = algorithm(name).model_copy(update=changes)
    agent = fresh(
        config, seeds, states=STATES, actions=ACTIONS, computation=computation
    )
    generator = torch.Generator().manual_seed(3)
    for weights in agent.networks().values():
        noise = torch.randn(weights.shape[1:], generator=generator)
        weights.add_(0.2 * noise.to(weights.device))
    return agent


def batch(index, seeds=SEEDS):
    def normal(part, *shape):
        each = [torch.Generator().manual_seed(97 * seed + part) for seed in seeds]
        return torch.stack([torch.randn(BATCH, *shape, generator=g) for g in each])

    shapes = ((STATES,), (ACTIONS,), (), (STATES,), ())
    parts = [normal(10 * index + i, *shape) for i, shape in enumerate(shapes, 1)]
    state, action, reward, state_next, ended = parts
    return Batch(state, torch.tanh(action), reward, state_next, (ended > 0.5).double())


def trained(name, updates, seeds=SEEDS, computation=PLAIN):
    agent = make(name, seeds, computation)
    for index in range(updates):
        agent.follow_schedules(0.9 * index / updates)
        agent.update(batch(index, seeds), index=index)
    return agent


def assert_same(left, right, *, row=slice(None), tolerance):
    for name, weights in left.networks().items():
        other = right.networks()[name][row]
        torch.testing.assert_close(weights, other, rtol=tolerance, atol=tolerance)


def same(name, **changes):
    """Compiled updates are the eager ones, in double precision."""
    torch.set_default_dtype(torch.float64)
    compiled, eager = (
        make(name, computation=computation, **SMALL, **changes)
        for computation in (COMPILED, PLAIN)
    )
    for index in range(20):
        for agent in (compiled, eager):
            agent.follow_schedules(0.9 * index / 20)
            agent.update(batch(index), index=index)
        assert_same(compiled, eager, tolerance=1e-8)


def table(**changes):
    """A table of values that grows compiles nothing again, and is the eager one."""
    torch.set_default_dtype(torch.float32)
    sql.BLOCK = 8
    networks = []
    for computation in (PLAIN, COMPILED):
        learner = algorithm("sql_copied").model_copy(update=SMALL | changes)
        learners = (learner,) * 2
        job = Job(task("multigoal"), learners, (4, 5), 70, computation=computation)
        training = Training(job)
        list(training)
        networks.append(training.agent.networks())
    assert len(list(programs().iterdir())) == 3  # actions, values, and an update
    for name, weights in networks[0].items():
        torch.testing.assert_close(weights, networks[1][name], rtol=0, atol=1e-5)
