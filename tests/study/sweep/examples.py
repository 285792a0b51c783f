"""A space and some of its trials."""

from pipeline.core.config.values import parsed
from pipeline.study.params.ranges import Range
from pipeline.study.params.sweep import Random
from pipeline.study.sweep.samplers import propose
from pipeline.study.sweep.trials import Trial
from pipeline.study.sweep.work import Outcome

SPACE = parsed(
    dict[str, Range],
    {
        "learning_rate.q": {"log_uniform": [1e-4, 1e-2]},
        "momentum": {"uniform": [-1.0, 1.0]},
        "temperature.fixed": {"log_uniform": [0.3, 30.0]},
    },
)
CONDITIONAL = parsed(
    dict[str, Range],
    {
        "batch": {"choice": [64, 128]},
        "temperature": {
            "choice": {
                "fixed": {"fixed": {"log_uniform": [0.3, 30.0]}},
                "automatic": {
                    "target_entropy_per_dim": {"uniform": [-2.0, 0.0], "step": 0.5},
                    "initial": 1.0,
                    "learning_rate": 1e-3,
                },
            }
        },
    },
)


def trial(number, params, values, curve=None, state="COMPLETE", reason="") -> Trial:
    ended = Outcome(curve or {}, values, state, reason)
    return Trial.of(number, params, ended, "iqm")


def drawn(space, count, seed=1):
    """Settings that are drawn from a space."""
    return [
        propose(
            space, Random(random={}), seed=seed, number=number, known=[], unknown=[]
        )
        for number in range(count)
    ]


HISTORY = [
    trial(number, params, [float(number), 0.5], {5: [0.1 * number, 0.2]})
    for number, params in enumerate(drawn(SPACE, 5))
]
HISTORY += [
    trial(5, drawn(SPACE, 6)[5], [], {5: [0.0, 0.0]}, "PRUNED", "at step 5: 0 < 1"),
    trial(6, drawn(SPACE, 7)[6], [None, 1.0], {}, "FAIL", "seed 100: no number"),
]
