"""Populations that learn from made-up batches, and checks that they are the same.

`same` and `table` compare compiled updates with eager ones. They are run in processes
of their own: shapes that are checked while tests run cannot be compiled.
"""

import torch

from pipeline.core.agents import factory, sql
from pipeline.core.config.computation import PLAIN
from pipeline.core.job import Job
from pipeline.core.memory.replay import Batch
from pipeline.core.training.loop import Training
from tests.core.configs import algorithm, task

STATES, ACTIONS, DISCOUNT = 3, 2, 0.9
SEEDS = (4, 5, 6)
BATCH = 8
COMPILED = PLAIN.model_copy(update={"compile": "always"})


def make(name, seeds=SEEDS, computation=PLAIN):
    agent = factory.make(
        [algorithm(name)] * len(seeds),
        seeds,
        states=STATES,
        actions=ACTIONS,
        discount=DISCOUNT,
        computation=computation,
    )
    generator = torch.Generator().manual_seed(3)
    for weights in agent.networks().values():
        noise = torch.randn(weights.shape[1:], generator=generator)
        weights.add_(0.2 * noise.to(weights.device))
    return agent


def batch(index, seeds=SEEDS):
    def normal(*shape):
        rows = [
            torch.randn(
                BATCH, *shape, generator=torch.Generator().manual_seed(97 * seed + part)
            )
            for seed in seeds
        ]
        return torch.stack(rows)

    part = 10 * index
    parts = []
    for shape in ((STATES,), (ACTIONS,), (), (STATES,), ()):
        part += 1
        parts.append(normal(*shape))
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


def same(name):
    """Compiled updates are the eager ones, in double precision."""
    torch.set_default_dtype(torch.float64)
    for updates in (1, 100):
        compiled = trained(name, updates, computation=COMPILED)
        assert_same(compiled, trained(name, updates), tolerance=1e-8)


def table():
    """A table of values that grows compiles nothing again, and is the eager one."""
    sql.BLOCK = 8
    networks = []
    for computation in (PLAIN, COMPILED):
        learners = (algorithm("sql_copied"),) * 2
        job = Job(task("multigoal"), learners, (4, 5), 150, computation=computation)
        training = Training(job)
        list(training)
        networks.append(training.agent.networks())
    for name, weights in networks[0].items():
        torch.testing.assert_close(weights, networks[1][name], rtol=0, atol=0.02)
