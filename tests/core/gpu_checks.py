"""What a GPU computes is what a CPU computes, in double precision.

Run in processes of their own, as the checks in `updating.py`. A GPU has random numbers
of its own; here it is given those of the CPU.
"""

from dataclasses import replace
from unittest import mock

import torch

from pipeline.core.config.computation import PLAIN
from pipeline.core.job import Job
from pipeline.core.judging.probes import probe
from pipeline.core.population import compiling
from pipeline.core.population.noise import Noise
from pipeline.core.training import checkpoint
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
from pipeline.study.store.files import atomic_write
from tests.core import updating
from tests.core.configs import algorithm, task

GPU = PLAIN.model_copy(update={"device": "cuda"})
GRAPH = GPU.model_copy(update={"compile": "always"})
UPDATES = 20


def drawn_on_the_cpu(noise, index):
    twin = Noise(
        noise._seeds,
        noise._purpose,
        shape=noise._shape,
        kind=noise._kind,
        dtype=noise._dtype,
        block=noise._block,
    )
    steps = range(index * noise._block, (index + 1) * noise._block)
    return torch.stack([twin.at(step) for step in steps], dim=1).to(noise._device)


def trained(name, updates, computation, seeds=updating.SEEDS):
    agent = updating.make(name, seeds, computation)
    for index in range(updates):
        agent.follow_schedules(0.9 * index / updates)
        batch = updating.batch(index, seeds)
        moved = (None if part is None else part.to(agent.device) for part in batch)
        agent.update(type(batch)(*moved), index=index)
    return agent


def assert_same(gpu, cpu, tolerance, row=slice(None)):
    for name, weights in gpu.networks().items():
        other = cpu.networks()[name].to(weights.device)[row]
        torch.testing.assert_close(weights, other, rtol=tolerance, atol=tolerance)
    for name, value in gpu.diagnostics().items():
        other = cpu.diagnostics()[name].to(value.device)[row]
        torch.testing.assert_close(value, other, rtol=tolerance, atol=tolerance)


def same(name):
    """Updates are those of the CPU: one by one, recorded, and compiled."""
    torch.set_default_dtype(torch.float64)
    with mock.patch.object(Noise, "_draw_on_device", drawn_on_the_cpu):
        expected = trained(name, UPDATES, PLAIN)
        for computation in (GPU, GRAPH):
            assert_same(trained(name, UPDATES, computation), expected, 1e-8)
        with mock.patch.object(compiling, "Recorded", lambda function: function):
            assert_same(trained(name, UPDATES, GPU), expected, 1e-8)


def alone(name):
    """A member learns the same alone as in a population, from the GPU's own noise."""
    torch.set_default_dtype(torch.float64)
    together = trained(name, UPDATES, GPU)
    for row, seed in enumerate(updating.SEEDS):
        own = trained(name, UPDATES, GPU, seeds=(seed,))
        assert_same(own, together, 1e-8, row=slice(row, row + 1))


def whole(name, folder):
    """A training is judged, and goes on after an interruption as if there were none."""
    job = Job(task("multigoal"), (algorithm(name),) * 2, (4, 5), 120, computation=GPU)
    undisturbed = Training(job)
    list(undisturbed)
    first = Training(job)
    for record in first:
        if record.step == 100:
            break
    path = folder / "checkpoint"
    checkpoint.save(path, first, atomic_write)
    second = Training(replace(job))
    checkpoint.restore(path, second)
    list(second)
    weights = second.agent.networks()
    for key, tensor in undisturbed.agent.networks().items():
        torch.testing.assert_close(weights[key], tensor, rtol=1e-4, atol=1e-5)
    result = finish(undisturbed)
    probed = probe(undisturbed.agent, job.task.probes, job.seeds)
    assert all(len(value) == 2 for value in (*result.final.values(), *probed.values()))
