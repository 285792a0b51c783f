"""What is measured: learners of this project, and everything asked of the core."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import count, islice
from typing import Literal, TypeAlias

import torch
from pydantic import TypeAdapter

from benchmarks.peer import SIGMA
from pipeline.core.agents import factory
from pipeline.core.agents.base import QLearner
from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Computation
from pipeline.core.job import Job
from pipeline.core.memory.replay import Batch
from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.core.training.loop import RECORD_EVERY, Training
from pipeline.study.machine.check import has_bfloat16

STATES, ACTIONS = 17, 6
"""Widths of a state and of an action: those of HalfCheetah-v5."""
ENVIRONMENT = "HalfCheetah-v5"
DISCOUNT = 0.99
RATE = 3e-4
TAU = 0.005
REPLAY = 100_000
WARMUP = 1_000
BATCHES = 8
"""Different batches that updates learn from in turn."""
ENDLESS = 10**9
"""Environment steps of a run that is never finished."""

POPULATION = ("learner", "members", "width", "batch")
"""What rows of one population have in common."""
HEAD = ("learner", "members", "units", "batch")
"""The same, as tables have it."""

Learner: TypeAlias = Literal["sql", "sac", "ddpg"]
Program: TypeAlias = Literal["eager", "graph", "graph, bfloat16"]
Run: TypeAlias = Callable[[int], None]
"""Does something so many times."""


@dataclass(frozen=True)
class Case:
    """A population."""

    learner: Learner
    members: int
    width: int
    """Of both hidden layers."""
    batch: int
    particles: int = 16
    """Of soft Q-learning: fixed ones, updated ones, and those of the soft value, each
    so many, at every state of the batch."""
    program: Program = "eager"
    """How an update is computed."""
    critics: int = 1
    """Of soft Q-learning; soft actor-critic has two."""

    @classmethod
    def of(cls, row: Mapping[str, object]) -> "Case":
        """That of something that was measured."""
        named = {f.name: row[f.name] for f in fields(cls) if f.name in row}
        return TypeAdapter(cls).validate_python(named)

    @property
    def computation(self) -> Computation:
        """The same as the core has it."""
        return Computation(
            device="cpu",
            precision="bfloat16" if "bfloat16" in self.program else "float32",
            compile="never" if self.program == "eager" else "always",
        )


def cells(row: Mapping[str, object]) -> list[str]:
    """The population of something that was measured, below `HEAD`."""
    learner, members, width, batch = (str(row[name]) for name in POPULATION)
    return [learner, members, f"2×{width}", batch]


def compiled_programs() -> tuple[Program, ...]:
    """Those that this machine has the hardware for."""
    return ("graph", "graph, bfloat16") if has_bfloat16() else ("graph",)


def algorithm(case: Case, *, replay: int, warmup: int, rate: float = RATE) -> Algorithm:
    """Settings that the same networks, batches and step sizes of a peer have, too."""
    settings: dict[str, object] = {
        "kind": case.learner,
        "hidden": (case.width, case.width),
        "learning_rate": {"q": rate, "policy": rate, "constant": 1.0},
        "batch": case.batch,
        "replay": replay,
        "warmup": warmup,
        "updates_per_step": 1,
        "target": {"tau": TAU},
    }
    match case.learner:
        case "sql":
            stein = {"fixed": case.particles, "updated": case.particles}
            settings |= {
                "critics": case.critics,
                "temperature": {"fixed": 1.0},
                "value_particles": case.particles,
                "value_points": "random",
                "particles": {"states": case.batch} | stein,
                "candidates": 1,
            }
        case "sac":
            automatic = {"target_entropy_per_dim": -1.0, "initial": 1.0}
            settings |= {
                "temperature": automatic | {"learning_rate": rate},
                "value": "critics",
            }
        case "ddpg":
            settings |= {"noise": {"gaussian": {"sigma": SIGMA}}}
    adapter: TypeAdapter[Algorithm] = TypeAdapter(Algorithm)
    return adapter.validate_python(settings)


def population(case: Case, computation: Computation | None = None) -> QLearner:
    """Fresh learners, computed as their case says or otherwise."""
    agent = factory.make(
        (algorithm(case, replay=REPLAY, warmup=WARMUP),) * case.members,
        tuple(range(case.members)),
        states=STATES,
        actions=ACTIONS,
        discount=DISCOUNT,
        computation=computation or case.computation,
    )
    assert isinstance(agent, QLearner)
    return agent


def hush_mujoco() -> None:
    """Let MuJoCo not say, for every model of HalfCheetah, that an attribute is old.

    It would say so on the terminal and in a file in the current folder.
    """
    import mujoco

    mujoco.set_mju_user_warning(lambda message: None)


def judged_rarely(
    environment: str, *, every: int, horizon: int | None = None
) -> Gymnasium:
    """A task whose greedy policies are judged by one episode."""
    judged = {"every": every, "episodes": 1, "final_episodes": 1, "policy": "greedy"}
    said: dict[str, object] = {"kind": "gymnasium", "id": environment}
    said |= {"horizon": horizon, "discount": DISCOUNT, "objective": "return"}
    return Gymnasium.model_validate(said | {"evaluation": judged})


def training(
    case: Case, *, steps: int, replay: int, warmup: int, horizon: int | None = None
) -> Training:
    """A run on HalfCheetah-v5 that is judged by one episode, before its first step."""
    hush_mujoco()
    task = judged_rarely(ENVIRONMENT, every=steps + 1, horizon=horizon)
    algorithms = (algorithm(case, replay=replay, warmup=warmup),) * case.members
    seeds = tuple(range(case.members))
    return Training(Job(task, algorithms, seeds, steps, None, case.computation))


def batches(case: Case) -> list[Batch]:
    """Transitions that mean nothing."""
    generator = torch.Generator().manual_seed(1)
    shape = (BATCHES, case.members, case.batch)
    states, states_next = torch.randn(2, *shape, STATES, generator=generator)
    actions = 2 * torch.rand(*shape, ACTIONS, generator=generator) - 1
    rewards = torch.randn(*shape, generator=generator)
    ends = torch.zeros(shape)
    parts = zip(states, actions, rewards, states_next, ends, strict=True)
    return [Batch(*part) for part in parts]


def updating(case: Case) -> Run:
    """Updates of a population; one call, one update of every member."""
    agent, drawn = population(case), batches(case)
    indices = count()

    def run(calls: int) -> None:
        for index in islice(indices, calls):
            agent.update(drawn[index % BATCHES], index=index)

    return run


def training_on(case: Case, *, warmup: int = WARMUP, horizon: int | None = None) -> Run:
    """Environment steps with one update each; one call, `RECORD_EVERY` of them."""
    lengths = {"steps": ENDLESS, "replay": REPLAY, "warmup": warmup}
    records = iter(training(case, **lengths, horizon=horizon))
    for _ in range(1 + warmup // RECORD_EVERY):  # the first record is of step 0
        next(records)

    def run(calls: int) -> None:
        for _ in range(calls):
            next(records)

    return run
