"""When a trial is not worth going on with, by the trials before it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np

from pipeline.study.params.sweep import PercentileSettings
from pipeline.study.sweep.trials import Trial


def floors(
    known: Sequence[Trial], pruning: PercentileSettings | Literal["none"], *, steps: int
) -> dict[int, float]:
    """What the best evaluation of a trial must have reached, by step.

    It is the percentile, among complete trials, of what they had at that step; after
    the last of so many steps there is nothing to save.
    """
    complete = [trial for trial in known if trial.state == "COMPLETE"]
    if pruning == "none" or len(complete) < pruning.startup_trials:
        return {}
    had = defaultdict(list)
    for trial in complete:
        for step, value in trial.statistics.items():
            had[step].append(value)
    return {
        step: float(np.percentile(values, pruning.percentile))
        for step, values in had.items()
        if pruning.warmup_steps <= step < steps
    }
