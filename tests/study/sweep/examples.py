"""A space and some of its trials."""

from pipeline.study.params.sweep import LogUniform, Uniform
from pipeline.study.sweep.search import propose
from pipeline.study.sweep.trials import Trial

SPACE = {
    "temperature.fixed": LogUniform(log_uniform=(0.3, 30.0)),
    "learning_rate.q": LogUniform(log_uniform=(1e-4, 1e-2)),
    "momentum": Uniform(uniform=(-1.0, 1.0)),
}
HISTORY = [
    Trial(0, slot, params, [float(slot), None if slot == 2 else 0.5])
    for slot, params in enumerate(
        propose(SPACE, [], seed=1, random_trials=4, batch=0, size=6)
    )
]
