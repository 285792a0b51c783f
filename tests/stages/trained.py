"""Runs with the weights of fresh networks, for stages that read trained ones."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from pipeline.core.agents import factory
from pipeline.core.training.weights import policy_bytes
from pipeline.study.params.study import Study


def add_weights(study: Study, name: str, root: Path) -> None:
    """Add weights, and states that were visited, to a synthetic run of `explore`."""
    run, seeds = study.runs("explore")[name], study.study.seeds
    algorithm = study.algorithms[run.algorithm]
    if run.temperature is not None:
        algorithm = algorithm.with_temperature(run.temperature)
    task = study.tasks[run.task]
    configs = [algorithm] * len(seeds)
    agent = factory.make(configs, seeds, states=2, actions=2, discount=task.discount)
    folder = root / "results/runs/explore" / name
    weights = {key: tensor.numpy() for key, tensor in agent.networks().items()}
    (folder / "weights.safetensors").write_bytes(
        policy_bytes(task, configs, seeds, weights, states=2, actions=2)
    )
    behaviour = load_file(folder / "behaviour.safetensors")
    states = np.random.default_rng(0).uniform(-5, 5, (len(seeds), 64, 2))
    behaviour["visited"] = states.astype(np.float32)
    save_file(behaviour, folder / "behaviour.safetensors")


def written(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
