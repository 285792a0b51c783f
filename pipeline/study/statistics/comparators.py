"""Whom a run is compared with, and how probably it is the better of the two.

All comparators of a run are on its own task. The baseline is DDPG.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.study.statistics.bootstrap import Bootstrap, Floats, Interval
from pipeline.study.store.runs import Run, same_temperature
from pipeline.study.store.scores import WITHSTOOD, Score


def comparators(
    run: Run, runs: Sequence[Run], *, same_alpha: bool = False
) -> list[Run]:
    """Whom a run is compared with, in the order of the runs.

    DDPG of the same stage; for a fine-tuned run also DDPG from scratch, and its own
    kind from scratch, whose settings may be others. With `same_alpha`, soft Q-learning
    is also compared with SAC of the same temperature.
    """

    def is_comparator(other: Run) -> bool:
        if other.id == run.id or other.task_name != run.task_name:
            return False
        baseline = other.algorithm.kind == "ddpg"
        if other.stage == run.stage:
            return baseline or (same_alpha and _is_sac_of_same_temperature(run, other))
        return (run.stage, other.stage) == ("finetune", "scratch") and (
            baseline or other.algorithm.kind == run.algorithm.kind
        )

    return [other for other in runs if is_comparator(other)]


def _is_sac_of_same_temperature(run: Run, other: Run) -> bool:
    return (
        (run.algorithm.kind, other.algorithm.kind) == ("sql", "sac")
        and run.swept == other.swept
        and (run.swept or same_temperature(run.temperature, other.temperature))
    )


def score_comparators(score: Score, scores: Sequence[Score]) -> list[Score]:
    """The scores of a run's comparators, SAC of the same temperature among them."""
    runs = [other.run for other in scores]
    found = {run.id for run in comparators(score.run, runs, same_alpha=True)}
    return [other for other in scores if other.run.id in found]


def improvement(
    run: Run, comparator: Run, metric: str, bootstrap: Bootstrap
) -> Interval:
    """P(run > comparator) of a final metric; a seed without a number loses."""
    x, y = run.final[metric], comparator.final[metric]
    return _improvement(x, y, f"{run.id}>{comparator.id}/{metric}", bootstrap)


def robustness_improvement(
    score: Score, comparator: Score, perturbation: str, bootstrap: Bootstrap
) -> Interval:
    """P(success within the attempts from more starts) in a perturbed task."""
    column = f"{perturbation}/{WITHSTOOD}"
    x, y = score.robustness[column], comparator.robustness[column]
    name = f"{score.run.id}>{comparator.run.id}/{column}"
    return _improvement(x, y, name, bootstrap)


def _improvement(x: Floats, y: Floats, name: str, bootstrap: Bootstrap) -> Interval:
    known = np.concatenate([x, y])
    worst = known[np.isfinite(known)].min(initial=0.0) - 1
    x, y = (np.where(np.isfinite(each), each, worst) for each in (x, y))
    return bootstrap.probability_of_improvement(x, y, name)
