"""What a training step is spent on, besides its update (P2 and P3)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from benchmarks.speed.clock import Clock
from benchmarks.speed.contest import Effort, apart
from benchmarks.speed.rows import Row, groups, markdown, spread
from benchmarks.speed.subject import Case, training_on
from pipeline.core.agents.ddpg import DeepDeterministicPolicyGradient
from pipeline.core.agents.sac import SoftActorCritic
from pipeline.core.learning.replay_collector import ReplayCollector
from pipeline.core.tasks.episodes import Episodes
from pipeline.core.training.loop import RECORD_EVERY

CASES = tuple(
    Case(learner, 1, width, batch, program="graph")
    for width, batch in ((128, 64), (256, 256))
    for learner in ("sac", "ddpg")
)
CALLS = 5
"""Of `RECORD_EVERY` steps each."""
UPDATE = "update"
WATCHED = (
    ("environment", Episodes, "step"),
    ("acting", ReplayCollector, "act"),
    ("batch", ReplayCollector, "_batch"),
    (UPDATE, SoftActorCritic, "update"),
    (UPDATE, DeepDeterministicPolicyGradient, "update"),
)
REST = "the rest"
PARTS = (UPDATE, "environment", "acting", "batch", REST)


def spent(case: Case, calls: int = CALLS, **smaller: int) -> dict[str, float]:
    """Seconds of a step, part by part; `smaller` as for `training_on`."""
    clock = Clock()
    with clock.watching(WATCHED):
        run = training_on(case, **smaller)
        run(1)
        clock.seconds.clear()
        with clock.running(REST):
            run(calls)
    return {part: clock.seconds[part] / (calls * RECORD_EVERY) for part in PARTS}


def measure(effort: Effort) -> Iterator[list[Row]]:
    """A row for every part, of trainings in fresh processes."""
    for repeat in range(effort.repeats):
        for case in CASES:
            yield [
                asdict(case) | {"part": part, "repeat": repeat, "seconds": seconds}
                for part, seconds in apart(spent, case).items()
            ]


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """A row for every training: milliseconds, and the update's share of them."""
    keys = ("learner", "width", "batch")
    columns = [f"{part}, ms" for part in PARTS]
    yield from markdown(
        ["learner", "units", "batch", *columns, "the update's share, %"],
        (_row(key, own) for key, own in groups(rows, *keys).items()),
    )


def _row(key: tuple[object, ...], rows: Sequence[Row]) -> list[str]:
    parts = {
        str(part): [float(row["seconds"]) for row in own]
        for (part,), own in groups(rows, "part").items()
    }
    whole = [sum(each) for each in zip(*parts.values(), strict=True)]
    pairs = zip(parts[UPDATE], whole, strict=True)
    share = spread([100 * update / all_of_it for update, all_of_it in pairs])
    learner, width, batch = (str(value) for value in key)
    each = [spread([1e3 * seconds for seconds in parts[part]]) for part in PARTS]
    return [learner, f"2×{width}", batch, *each, share]
