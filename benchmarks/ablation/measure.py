"""Train one variant and measure what became of it."""

import sys
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.special import logsumexp

from benchmarks.ablation.learners import AveragedWeights
from benchmarks.ablation.tables import METRICS, Measured
from benchmarks.ablation.variants import VARIANTS
from benchmarks.patches import patched
from pipeline.core.agents import factory
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.config.computation import PLAIN
from pipeline.core.exact.distance import quadrature
from pipeline.core.exact.grid import GridOracle
from pipeline.core.job import Job
from pipeline.core.judging.scoring import drawn, score
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training

PROBES = np.array([[0.0, 0.0], [2.5, 2.5]])
NODES, WEIGHTS = quadrature(25)


@dataclass(frozen=True)
class Work:
    """One variant, with everything that decides what comes out."""

    variant: str
    task: MultiGoal
    algorithm: Sql
    seeds: tuple[int, ...]
    steps: int
    oracle: GridOracle
    draws: int
    cells: int
    code: str
    """Digest of the sources."""
    device: Literal["cpu", "cuda"]

    @property
    def settings(self) -> dict[str, Any]:
        """What has to be the same for a file to be kept."""
        return {
            "variant": self.variant,
            "task": self.task.model_dump(mode="json"),
            "algorithm": self.algorithm.model_dump(mode="json"),
            "seeds": list(self.seeds),
            "steps": self.steps,
            "spacing": self.oracle.spacing,
            "draws": self.draws,
            "cells": self.cells,
            "device": self.device,
        }


def measure(work: Work) -> Measured:
    """Train the population and compare it with the oracle."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    variant = VARIANTS[work.variant]
    with patched(variant.replaced):
        algorithms = (work.algorithm,) * len(work.seeds)
        program = {"compile": "auto", "device": work.device, **variant.computation}
        training = Training(
            Job(
                work.task,
                algorithms,
                work.seeds,
                work.steps,
                computation=PLAIN.model_copy(update=program),
            )
        )
        for record in training:
            judged = record.metrics.get("evaluation/multi_goal_score")
            if judged is not None and record.step:
                found = " ".join(f"{value:.2f}" for value in judged)
                print(work.variant, record.step, found, file=sys.stderr, flush=True)
        seconds = time.perf_counter() - began
        if isinstance(training.agent, AveragedWeights):
            training.agent.settle()
        final = finish(training).final
        agent = on_the_cpu(training)
        draws = drawn(agent, PROBES, work.seeds, draws=work.draws)
        exact = score(draws, work.oracle, cells=work.cells)
        q_share, share = shares_of_goals(agent, work)
        q_kl = divergence_of_q(agent, work.oracle)
    columns = {
        "multi_goal_score": final["multi_goal_score"],
        "success": final["success"],
        "return": final["return"],
        "reverse_kl_middle": exact["reverse_kl"][:, 0],
        "reverse_kl_between": exact["reverse_kl"][:, 1],
        "q_kl_middle": q_kl[:, 0],
        "q_kl_between": q_kl[:, 1],
        "value_error": exact["value_error"][:, 0],
        "q_imbalance": imbalance(q_share),
        "imbalance": imbalance(share),
    }
    values = {name: np.asarray(columns[name], dtype=float) for name in METRICS}
    return Measured(work.settings, seconds, work.code, values)


def on_the_cpu(training: Training) -> SoftQLearning:
    """The policies of a training, rebuilt where they are compared."""
    job = training.job
    agent = factory.make(
        job.algorithms,
        job.seeds,
        states=training.states,
        actions=training.actions,
        discount=job.task.discount,
    )
    assert isinstance(agent, SoftQLearning)
    for name, weights in training.agent.networks().items():
        agent.networks()[name].copy_(weights)
    return agent


def divergence_of_q(agent: SoftQLearning, oracle: GridOracle) -> np.ndarray:
    """KL [member, probe] from exp(Q/α) to the oracle, in nats."""
    columns = []
    for probe in PROBES:
        learned = log_mass_of_q(agent, probe)
        exact = oracle.q(probe[None], NODES[None]) / oracle.temperature
        away = learned - _log_mass(exact)
        columns.append((np.exp(learned) * away).sum(axis=1))
    return np.stack(columns, axis=1)


def log_mass_of_q(agent: SoftQLearning, probe: np.ndarray) -> np.ndarray:
    """Log-probability [member, node] of exp(Q/α) at every node, in nats."""
    alpha = agent.temperature[:, None]
    action = torch.from_numpy(NODES).float().expand(len(alpha), -1, -1)
    state = torch.from_numpy(probe).float().expand_as(action)
    with torch.no_grad():
        return _log_mass((agent.q(state, action) / alpha).double().numpy())


def _log_mass(energy: np.ndarray) -> np.ndarray:
    log_mass = energy + np.log(WEIGHTS)
    return np.asarray(log_mass - logsumexp(log_mass, axis=1, keepdims=True))


def shares_of_goals(agent: SoftQLearning, work: Work) -> tuple[np.ndarray, np.ndarray]:
    """At (0, 0), shares [member, goal] of actions whose direction is nearest to a goal.

    Returns:
        Of exp(Q/α), by quadrature, and of the sampler's draws.
    """
    goals = np.array(work.task.goals)
    q_share = np.exp(log_mass_of_q(agent, np.zeros(2))) @ nearest(NODES, goals)
    noise = torch.from_numpy(
        np.stack(
            [
                stream(seed, "imbalance").standard_normal(
                    (work.draws, 2), dtype=np.float32
                )
                for seed in work.seeds
            ]
        )
    )
    drawn = agent.sample(torch.zeros_like(noise), noise).double().numpy()
    return q_share, nearest(drawn, goals).mean(axis=1)


def nearest(action: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Which goal an action goes to, as shares [*batch, goal]; ties are divided."""
    along = action @ (goals / np.linalg.norm(goals, axis=1, keepdims=True)).T
    best = np.isclose(along, along.max(axis=-1, keepdims=True), rtol=0, atol=1e-9)
    return np.asarray(best / best.sum(axis=-1, keepdims=True))


def imbalance(share: np.ndarray) -> np.ndarray:
    """Total variation between shares [member, goal] and equal ones."""
    return np.asarray(0.5 * np.abs(share - 1 / share.shape[1]).sum(axis=1))
