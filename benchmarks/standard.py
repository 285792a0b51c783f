"""SAC and DDPG against stable-baselines3 on two standard environments.

    python -m benchmarks.standard pendulum sb3 sac   # sb3 or ours, sac or ddpg
    python -m benchmarks.standard half_cheetah sb3 sac
    python -m benchmarks.standard half_cheetah ours sql   # after its study
    python -m benchmarks.standard compare

Same networks, batch, learning rates, discount, warm-up, target update, steps, seeds,
temperature or noise, and evaluation on both sides; weights begin as each library has
them. Every part writes `benchmarks/results/ENVIRONMENT_SIDE_LEARNER.csv`, after every
seed of stable-baselines3, and goes on where such a table lacks seeds; `compare` reads
them. stable-baselines3 is needed for the parts called `sb3` only. It has no soft
Q-learning: ours has temperature, evaluation and returns of `studies/locomotion.yaml`,
and stands beside its SAC.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import gymnasium
import numpy as np
import torch

from benchmarks.machine import machine
from benchmarks.peer import peer_learner
from benchmarks.speed.rows import markdown
from benchmarks.speed.subject import (
    DISCOUNT,
    TAU,
    Case,
    algorithm,
    hush_mujoco,
    judged_rarely,
)
from pipeline.core.job import Job
from pipeline.core.judging.interquartile import interquartile_mean
from pipeline.core.population.randomness import stream
from pipeline.core.training.loop import Training
from pipeline.study.store.files import by_seed, read_table, write_csv

WARMUP = 1_000
WIDTH = 128
RATE = 1e-3
RESAMPLES = 10_000
RESULTS = Path(__file__).parent / "results"
STUDY = Path(__file__).parents[1] / ".studies" / "locomotion"
"""Where `make study STUDY=locomotion` computes it."""
STUDIED = "explore/half_cheetah_sql"

Kind: TypeAlias = Literal["sac", "ddpg"]
Act: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""A policy without noise: from an observation to an action of the environment."""


@dataclass(frozen=True)
class Contest:
    """Where both sides learn, and for how long."""

    environment: str
    steps: int
    batch: int
    seeds: tuple[int, ...]
    episodes: int
    """Of the evaluation after the last step."""
    kinds: tuple[str, ...] = ("sac", "ddpg")


CONTESTS = {
    "pendulum": Contest("Pendulum-v1", 20_000, 128, (0, 1, 2, 3, 4), episodes=50),
    "half_cheetah": Contest(
        "HalfCheetah-v5",
        100_000,
        64,
        (0, 1, 2, 3),
        episodes=10,
        kinds=("sac", "ddpg", "sql"),
    ),
}


def evaluate(contest: Contest, act: Act) -> float:
    """Mean return of a policy, from the same starts on both sides."""
    env = gymnasium.make(contest.environment)
    returns = []
    for episode in range(contest.episodes):
        observation, _ = env.reset(seed=10_000 + episode)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            total += float(reward)
            done = terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


def train_sb3(contest: Contest, kind: Kind, seed: int) -> float:
    """One agent of stable-baselines3."""
    model = peer_learner(
        "stable_baselines3",
        kind,
        contest.environment,
        width=WIDTH,
        learning_rate=RATE,
        buffer_size=contest.steps,
        learning_starts=WARMUP,
        batch_size=contest.batch,
        tau=TAU,
        gamma=DISCOUNT,
        seed=seed,
    )
    model.learn(contest.steps)
    return evaluate(contest, lambda x: model.predict(x, deterministic=True)[0])


def train_ours(contest: Contest, kind: Kind, seeds: Sequence[int]) -> list[float]:
    """Some seeds, as one population."""
    members = len(seeds)
    case = Case(kind, members, WIDTH, contest.batch)
    config = algorithm(case, replay=contest.steps, warmup=WARMUP, rate=RATE)
    task = judged_rarely(contest.environment, every=contest.steps)
    training = Training(Job(task, (config,) * members, tuple(seeds), contest.steps))
    for record in training:
        if record.step % 2000 == 0:
            print(record.step, record.metrics["train/return"], flush=True)
    space = gymnasium.make(contest.environment).action_space
    assert isinstance(space, gymnasium.spaces.Box)
    high = space.high  # of boxes around 0

    def policy(member: int) -> Act:
        def act(observation: np.ndarray) -> np.ndarray:
            state = torch.as_tensor(observation, dtype=torch.get_default_dtype())
            action = training.agent.greedy(state.expand(members, 1, -1))
            return np.asarray(high * action[member, 0].numpy())

        return act

    return [evaluate(contest, policy(member)) for member in range(members)]


def file(name: str, side: str, kind: str) -> Path:
    return RESULTS / f"{name}_{side}_{kind}.csv"


def read(name: str, side: str, kind: str) -> list[float]:
    """Returns of the seeds so far, none where there is no table."""
    path = file(name, side, kind)
    return read_table(path)["return"].tolist() if path.exists() else []


def take(name: str) -> None:
    """Write down what soft Q-learning returns in the study of the same contest."""
    path = STUDY / "results" / "runs" / STUDIED / "final.csv"
    if not path.exists():
        sys.exit(f"{path} is not there: `make study STUDY=locomotion` computes it")
    final = read_table(path)
    seeds = CONTESTS[name].seeds
    assert (*final["seed"],) == seeds
    write_csv(file(name, "ours", "sql"), *by_seed(seeds, {"return": final["return"]}))


def train(name: str, side: str, kind: Kind) -> None:
    """Go on with a table that lacks seeds, else begin anew."""
    contest = CONTESTS[name]
    done = read(name, side, kind)
    done = done if len(done) < len(contest.seeds) else []
    left = contest.seeds[len(done) :]

    def write(returns: list[float]) -> None:
        done.extend(returns)
        seeds = contest.seeds[: len(done)]
        write_csv(file(name, side, kind), *by_seed(seeds, {"return": done}))

    if side == "ours":
        write(train_ours(contest, kind, left))
    else:
        for seed in left:
            write([train_sb3(contest, kind, seed)])


def row(name: str, kind: str, ours: list[float], theirs: list[float]) -> list[str]:
    """IQMs and their difference, ours minus theirs, with bootstrap intervals."""
    generator = stream(0, f"{name} bootstrap {kind}")
    both = [np.array(ours), np.array(theirs)]
    resampled = [
        interquartile_mean(
            side[generator.integers(len(side), size=(RESAMPLES, len(side)))]
        )
        for side in both
    ]
    middles = [interquartile_mean(side) for side in both]

    def text(form: str, middle: np.ndarray, drawn: np.ndarray) -> str:
        low, high = np.quantile(drawn, [0.025, 0.975])
        return f"{middle:{form}} [{low:{form}}, {high:{form}}]"

    each = [text(".1f", *pair) for pair in zip(middles, resampled, strict=True)]
    apart = text("+.1f", middles[0] - middles[1], resampled[0] - resampled[1])
    seeds = [", ".join(f"{value:.1f}" for value in side) for side in both]
    environment = CONTESTS[name].environment
    label = "SQL beside SAC" if kind == "sql" else kind.upper()
    return [environment, label, *each, apart, *seeds]


def compare() -> None:
    """Print a row for each learner that both sides have trained, on every seed."""
    rows = []
    for name, contest in CONTESTS.items():
        for kind in contest.kinds:
            peer = "sac" if kind == "sql" else kind
            ours, theirs = read(name, "ours", kind), read(name, "sb3", peer)
            if len(ours) == len(theirs) == len(contest.seeds):
                rows.append(row(name, kind, ours, theirs))
            else:
                counts = f"{len(ours)} seeds of ours, {len(theirs)} of theirs"
                missing = f"{counts}, for {len(contest.seeds)} each"
                print(f"{name} {kind}: {missing}", file=sys.stderr)
    packages = ("torch", "gymnasium", "mujoco", "stable-baselines3")
    print(f"Measured on: {machine(*packages)}\n")
    peer = "stable-baselines3"
    columns = ["environment", "learner", "ours, IQM [95 %]", f"{peer}, IQM [95 %]"]
    columns += ["difference [95 %]", "seeds, ours", f"seeds, {peer}"]
    print("\n".join(markdown(columns, rows)))


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    hush_mujoco()
    match arguments:
        case [name, ("sb3" | "ours") as side, ("sac" | "ddpg") as kind] if (
            name in CONTESTS
        ):
            train(name, side, kind)
        case ["half_cheetah" as name, "ours", "sql"]:
            take(name)
        case ["compare"]:
            compare()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
