"""SAC and DDPG against stable-baselines3 on Pendulum-v1.

    python -m benchmarks.pendulum sb3 sac    # and: sb3 ddpg, ours sac, ours ddpg
    python -m benchmarks.pendulum compare

Same networks, batch, learning rates, discount, warm-up, target update, steps, seeds
and evaluation on both sides; every part writes `benchmarks/results/pendulum_*.csv`,
`compare` reads them. stable-baselines3 is needed for the parts called `sb3` only:
`pip install --group benchmark`.
"""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
import torch
from pydantic import TypeAdapter

from benchmarks.machine import machine
from benchmarks.peer import SIGMA, sb3_learner
from pipeline.core.agents.settings import Ddpg, Sac
from pipeline.core.job import Job
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.core.training.loop import Training
from pipeline.study.statistics.bootstrap import interquartile_mean

SEEDS = (0, 1, 2, 3, 4)
STEPS = 20_000
WARMUP = 1_000
WIDTH = 128
BATCH = 128
RATE = 1e-3
TAU = 0.005
DISCOUNT = 0.99
EPISODES = 50
RESAMPLES = 10_000
RESULTS = Path(__file__).parent / "results"

SHARED = {
    "hidden": (WIDTH, WIDTH),
    "learning_rate": {"q": RATE, "policy": RATE, "constant": 1.0},
    "batch": BATCH,
    "replay": STEPS,
    "warmup": WARMUP,
    "updates_per_step": 1,
    "target": {"tau": TAU},
}
SAC = SHARED | {
    "kind": "sac",
    "value": "critics",
    "temperature": {
        "target_entropy_per_dim": -1.0,
        "initial": 1.0,
        "learning_rate": RATE,
    },
}
DDPG = SHARED | {"kind": "ddpg", "noise": {"gaussian": {"sigma": SIGMA}}}


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
    model = sb3_learner(
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


def train_ours(kind: str) -> list[float]:
    """All seeds, as one population."""
    task = Gymnasium.model_validate(
        {
            "kind": "gymnasium",
            "id": "Pendulum-v1",
            "discount": DISCOUNT,
            "objective": "return",
            "evaluation": {
                "every": STEPS,
                "episodes": 1,
                "final_episodes": 1,
                "policy": "greedy",
            },
        }
    )
    learner: type[Sac] | type[Ddpg] = Sac if kind == "sac" else Ddpg
    config = TypeAdapter(learner).validate_python(SAC if kind == "sac" else DDPG)
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


def write(side: str, kind: str, returns: list[float]) -> None:
    """Keep one return per seed."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"pendulum_{side}_{kind}.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "return"])
        writer.writerows(zip(SEEDS, returns, strict=True))


def read(side: str, kind: str) -> np.ndarray:
    """One return per seed."""
    with (RESULTS / f"pendulum_{side}_{kind}.csv").open() as file:
        return np.array([float(row["return"]) for row in csv.DictReader(file)])


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
    """See the module's docstring."""
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
