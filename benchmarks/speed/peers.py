"""Side by side with stable-baselines3, SBX and plain PyTorch (P1 to P4)."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from itertools import groupby
from statistics import median

from benchmarks.peer import INSTALL, Library, peer_learner
from benchmarks.speed import subject
from benchmarks.speed.contest import Contestant, Effort, contest
from benchmarks.speed.plain_sql import updating_plainly
from benchmarks.speed.rows import Row, groups, markdown, rates, ratios, spread
from benchmarks.speed.subject import Case, Run
from pipeline.core.training.loop import RECORD_EVERY

OURS = "this project"
LIBRARIES: Mapping[str, Library] = {
    "stable-baselines3": "stable_baselines3",
    "SBX": "sbx",
}
"""Peers, and what they are imported as."""
TRAININGS = {
    "P2": ((1, 256, 256), 1),
    "P3": ((1, 128, 64), 1),
    "P4": ((8, 128, 64), 2),
}
"""Members, width and batch of ours, and processes; theirs have one member in each."""
ROW = ("target", "learner", "width", "batch", "critics")
SIDE = ("side", "program", "members", "processes")


def peer_training_on(case: Case, library: Library) -> Run:
    """As `training_on`, by a peer and for one agent.

    What is in JAX is compiled at its first update, when it warms up.
    """
    subject.hush_mujoco()
    model = peer_learner(
        library,
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


def contestants() -> Iterator[Contestant]:
    for critics in (1, 2):
        sql = Case("sql", 1, 128, 256, critics=critics)
        labels = {"target": "P1"} | asdict(sql)
        for program in ("eager", *subject.compiled_programs()):
            case = replace(sql, program=program)
            ours = {"side": OURS, "program": program}
            yield Contestant(labels | ours, subject.updating, (case,), "ours")
        plain = labels | {"side": "plain PyTorch"}
        yield Contestant(plain, updating_plainly, (sql, critics), "theirs")
    for target, (sizes, processes) in TRAININGS.items():
        for learner in ("sac", "ddpg"):
            yield from _trainings(target, Case(learner, *sizes), processes)


def _trainings(target: str, case: Case, processes: int) -> Iterator[Contestant]:
    """Ours, compiled, in bfloat16 too where that is asked, and theirs: one member."""
    alone = replace(case, members=1)
    programs = subject.compiled_programs() if target == "P2" else ("graph",)
    sides: list[tuple[str, Callable[..., Run], Case, tuple[Library, ...]]] = [
        (OURS, subject.training_on, replace(case, program=program), ())
        for program in programs
    ]
    sides += [
        (side, peer_training_on, alone, (library,))
        for side, library in LIBRARIES.items()
    ]
    for side, make, own, given in sides:
        labels = asdict(own) | {"processes": processes}
        yield Contestant(
            {"target": target, "side": side} | labels,
            make,
            (own, *given),
            host=side,
            each=own.members * RECORD_EVERY,
            processes=processes,
        )


def measure(effort: Effort) -> Iterator[list[Row]]:
    """Seconds of updates (P1) or of environment steps with one update each."""
    if not all(map(find_spec, LIBRARIES.values())):
        sys.exit(f"needed: {INSTALL}")
    for _, own in groupby(contestants(), lambda one: one.labels["target"]):
        yield contest(list(own), effort)


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """A row for every contestant, with how many times as fast we are."""
    others = [str(side) for (side,) in groups(rows, "side") if side != OURS]
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
            *(f"over {side}" for side in others),
        ],
        (row for own in groups(rows, *ROW).values() for row in _sides(own, others)),
    )


def _sides(rows: Sequence[Row], others: Sequence[str]) -> Iterator[list[str]]:
    """Of one comparison; ours are compared with each of the others that is in it."""
    theirs = groups(rows, "side")
    for own in groups(rows, *SIDE).values():
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
            *(
                spread(ratios(own, theirs[(side,)]))
                if first["side"] == OURS and (side,) in theirs
                else ""
                for side in others
            ),
        ]
