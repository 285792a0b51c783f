"""Side by side with stable-baselines3 and with plain PyTorch (P1 to P4)."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from itertools import groupby
from statistics import median

from benchmarks.peer import sb3_learner
from benchmarks.speed import subject
from benchmarks.speed.contest import Contestant, Effort, contest
from benchmarks.speed.plain_sql import updating_plainly
from benchmarks.speed.rows import Row, groups, markdown, rates, ratios, spread
from benchmarks.speed.subject import Case, Run
from pipeline.core.training.loop import RECORD_EVERY

OURS = "this project"
SB3 = "stable-baselines3"
MEMBERS = 8
"""Of a population in P4."""
ROW = ("target", "learner", "width", "batch", "critics")
SIDE = ("side", "program", "members", "processes")


def sb3_training_on(case: Case) -> Run:
    """As `training_on`, by stable-baselines3 and for one agent."""
    subject.hush_mujoco()
    model = sb3_learner(
        case.learner,
        subject.ENVIRONMENT,
        width=case.width,
        learning_rate=subject.RATE,
        buffer_size=subject.REPLAY,
        learning_starts=subject.WARMUP,
        batch_size=case.batch,
        tau=subject.TAU,
        gamma=subject.DISCOUNT,
        seed=0,
    )
    model.learn(subject.WARMUP)

    def run(calls: int) -> None:
        model.learn(calls * RECORD_EVERY, reset_num_timesteps=False)

    return run


def programs() -> tuple[subject.Program, ...]:
    """Ours."""
    return "eager", *subject.compiled_programs()


def contestants() -> Iterator[Contestant]:
    for critics in (1, 2):
        sql = Case("sql", 1, 128, 256, critics=critics)
        labels = {"target": "P1"} | asdict(sql)
        for program in programs():
            case = replace(sql, program=program)
            ours = {"side": OURS, "program": program}
            yield Contestant(labels | ours, subject.updating, (case,), "ours")
        plain = labels | {"side": "plain PyTorch"}
        yield Contestant(plain, updating_plainly, (sql, critics), "theirs")
    for target, sizes in (("P2", (1, 256, 256)), ("P3", (1, 128, 64))):
        for learner in ("sac", "ddpg"):
            yield from _trainings(target, Case(learner, *sizes))
    yield from _trainings("P4", Case("sac", MEMBERS, 128, 64), processes=2)


def _trainings(target: str, case: Case, *, processes: int = 1) -> Iterator[Contestant]:
    """Ours in every program, and theirs with one member a process."""
    sides: list[tuple[str, Callable[..., Run], str, Case]] = [
        (OURS, subject.training_on, "ours", replace(case, program=program))
        for program in programs()
    ]
    sides.append((SB3, sb3_training_on, "theirs", replace(case, members=1)))
    for side, make, host, own in sides:
        members = own.members
        labels = asdict(own) | {"processes": processes}
        yield Contestant(
            {"target": target, "side": side} | labels,
            make,
            (own,),
            host,
            each=members * RECORD_EVERY,
            processes=processes,
        )


def measure(effort: Effort) -> Iterator[list[Row]]:
    """Seconds of updates (P1) or of environment steps with one update each."""
    if find_spec("stable_baselines3") is None:
        sys.exit("needed: pip install --no-deps stable-baselines3==2.9.2")
    for _, own in groupby(contestants(), lambda one: one.labels["target"]):
        yield contest(list(own), effort)


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """A row for every contestant, with how many times as fast we are."""
    yield from markdown(
        [
            "target",
            "learner",
            "units",
            "batch",
            "side",
            "program",
            "critics",
            "members × processes",
            "ms each",
            "member-updates/s",
            "ours over theirs",
        ],
        (row for own in groups(rows, *ROW).values() for row in _sides(own)),
    )


def _sides(rows: Sequence[Row]) -> Iterator[list[str]]:
    """Of one comparison; ours are compared with the first of the others."""
    sides = list(groups(rows, *SIDE).values())
    theirs = next(own for own in sides if own[0]["side"] != OURS)
    for own in sides:
        first = own[0]
        found = rates(own)
        yield [
            str(first["target"]),
            str(first["learner"]),
            f"2×{first['width']}",
            str(first["batch"]),
            str(first["side"]),
            str(first["program"]),
            str(first["critics"]) if first["learner"] == "sql" else "",
            f"{first['members']} × {first.get('processes', 1)}",
            f"{1e3 / median(found):.3g}",
            spread(found),
            spread(ratios(own, theirs)) if first["side"] == OURS else "",
        ]
