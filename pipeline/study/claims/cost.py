"""What another seed would cost: core-hours at rates that were measured once.

A clock would write other bytes every time. On one core of a slow server (three members
side by side, compiled, the point among four goals) an update with its environment step
took about a constant and a part in proportion to the batch times the weights between
hidden layers:

    hidden layers, batch   2x64, 64   2x128, 64   2x128, 256
    SQL, ms                    1.50       2.65        5.24
    SAC, ms                    0.61       1.21        1.91
    DDPG, ms                   0.47       0.81        1.38

Compiling, judging and bodies of MuJoCo come on top: it tells minutes from days.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from pipeline.core.config.learner import OffPolicy
from pipeline.study.store.runs import Run

RATES: Final = {
    "sql": (1.25e-3, 0.95e-9),
    "sac": (0.53e-3, 0.33e-9),
    "ddpg": (0.41e-3, 0.23e-9),
}
"""By kind: seconds of an update, and more for each row and weight."""
HOUR: Final = 3600


def core_hours(run: Run, runs: Sequence[Run]) -> float:
    """Of one seed, with the pretraining among `runs` that it begins from."""
    before = [
        core_hours(other, runs)
        for other in runs
        if other.stage == "pretrain" and other.name == run.start
    ]
    algorithm = run.algorithm
    assert isinstance(algorithm, OffPolicy), f"no claim is about {algorithm.kind}"
    constant, each = RATES[algorithm.kind]
    weights = sum(one * other for one, other in pairwise(algorithm.hidden))
    seconds = constant + each * algorithm.batch * weights
    return sum(before) + algorithm.updates(run.steps) * seconds / HOUR
