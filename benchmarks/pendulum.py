"""SAC and DDPG against stable-baselines3 on Pendulum-v1.

    python -m benchmarks.pendulum sb3 sac    # and: sb3 ddpg, ours sac, ours ddpg
    python -m benchmarks.pendulum compare

Same networks, batch, learning rates, discount, warm-up, target update, steps, seeds
and evaluation on both sides; every part writes `benchmarks/results/pendulum_*.csv`,
`compare` reads them. stable-baselines3 is needed for the parts called `sb3` only:
`pip install --no-deps stable-baselines3==2.9.2`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import gymnasium
import numpy as np
import torch

from benchmarks.machine import machine
from benchmarks.peer import peer_learner
from benchmarks.speed.subject import DISCOUNT, TAU, Case, algorithm, judged_rarely
from pipeline.core.job import Job
from pipeline.core.judging.interquartile import interquartile_mean
from pipeline.core.population.randomness import stream
from pipeline.core.training.loop import Training
from pipeline.study.store.files import by_seed, read_table, write_csv

SEEDS = (0, 1, 2, 3, 4)
STEPS = 20_000
WARMUP = 1_000
WIDTH = 128
BATCH = 128
RATE = 1e-3
EPISODES = 50
RESAMPLES = 10_000
RESULTS = Path(__file__).parent / "results"


def evaluate(act: Callable[[np.ndarray], np.ndarray]) -> float:
    """Mean return of a policy without noise, from the same starts on both sides.

    Args:
        act: From an observation [3] to a torque in [-2, 2], [1].
    """
    env = gymnasium.make("Pendulum-v1")
    returns = []
    for episode in range(EPISODES):
        observation, _ = env.reset(seed=10_000 + episode)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            total += float(reward)
            done = terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


def train_sb3(kind: str, seed: int) -> float:
    """One agent of stable-baselines3."""
    model = peer_learner(
        "stable_baselines3",
        kind,
        "Pendulum-v1",
        width=WIDTH,
        learning_rate=RATE,
        buffer_size=STEPS,
        learning_starts=WARMUP,
        batch_size=BATCH,
        tau=TAU,
        gamma=DISCOUNT,
        seed=seed,
    )
    model.learn(STEPS)
    return evaluate(lambda x: model.predict(x, deterministic=True)[0])


def train_ours(kind: Literal["sac", "ddpg"]) -> list[float]:
    """All seeds, as one population."""
    case = Case(kind, len(SEEDS), WIDTH, BATCH)
    config = algorithm(case, replay=STEPS, warmup=WARMUP, rate=RATE)
    task = judged_rarely("Pendulum-v1", every=STEPS)
    training = Training(Job(task, (config,) * len(SEEDS), SEEDS, STEPS))
    for record in training:
        if record.step % 2000 == 0:
            print(record.step, record.metrics["train/return"], flush=True)

    def policy(member: int) -> Callable[[np.ndarray], np.ndarray]:
        def act(observation: np.ndarray) -> np.ndarray:
            state = torch.as_tensor(observation).expand(len(SEEDS), 1, -1)
            return 2 * training.agent.greedy(state)[member, 0].numpy()

        return act

    return [evaluate(policy(member)) for member in range(len(SEEDS))]


def file(side: str, kind: str) -> Path:
    return RESULTS / f"pendulum_{side}_{kind}.csv"


def write(side: str, kind: str, returns: list[float]) -> None:
    write_csv(file(side, kind), *by_seed(SEEDS, {"return": returns}))


def read(side: str, kind: str) -> np.ndarray:
    return read_table(file(side, kind))["return"]


def compare() -> None:
    """A table: difference in IQM, ours minus theirs, with a bootstrap interval."""
    packages = ("torch", "gymnasium", "stable-baselines3")
    print(f"Measured on: {machine(*packages)}\n")
    print("| | ours, IQM | stable-baselines3, IQM | difference [95 %] | seeds, ours |")
    print("|---|---|---|---|---|")
    for kind in ("sac", "ddpg"):
        ours, theirs = read("ours", kind), read("sb3", kind)
        generator = stream(0, f"pendulum bootstrap {kind}")
        resampled = [
            interquartile_mean(
                side[generator.integers(len(side), size=(RESAMPLES, len(side)))]
            )
            for side in (ours, theirs)
        ]
        low, high = np.quantile(resampled[0] - resampled[1], [0.025, 0.975])
        middle = interquartile_mean(ours), interquartile_mean(theirs)
        print(
            f"| {kind.upper()} | {middle[0]:.1f} | {middle[1]:.1f} "
            f"| {middle[0] - middle[1]:+.1f} [{low:+.1f}, {high:+.1f}] "
            f"| {', '.join(f'{value:.1f}' for value in ours)} |"
        )


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    match arguments:
        case ["sb3", ("sac" | "ddpg") as kind]:
            write("sb3", kind, [train_sb3(kind, seed) for seed in SEEDS])
        case ["ours", ("sac" | "ddpg") as kind]:
            write("ours", kind, train_ours(kind))
        case ["compare"]:
            compare()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
