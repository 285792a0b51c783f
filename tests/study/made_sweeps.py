"""Sweeps that were never run: every kind of dimension, every way a trial can end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.core.config.values import parsed
from pipeline.study.params.ranges import LogUniform, Range
from pipeline.study.params.space import Params, dimensions
from pipeline.study.params.sweep import Sampler
from pipeline.study.sweep.samplers import propose
from pipeline.study.sweep.trials import FinishedSweep, Trial, best, worth
from pipeline.study.sweep.work import Outcome, State

LOG = {"log_uniform": [1e-4, 1e-2]}


def made(
    space: Mapping[str, Any],
    count: int,
    *,
    name: str = "sql",
    sampler: str = "random",
    seeds: Sequence[int] = (100, 101, 102),
    fresh_seeds: Sequence[int] = (200, 201, 202, 203, 204, 205),
    steps: int = 3000,
    objective: str = "multi_goal_score",
    ends: Mapping[int, State] | None = None,
) -> FinishedSweep:
    """A sweep of trials that are complete, but for those of which `ends` says more."""
    ranges, seed = parsed(dict[str, Range], dict(space)), sum(name.encode())
    rng = np.random.default_rng(seed)
    trials: list[Trial] = []
    for number in range(count):
        params = propose(
            ranges,
            parsed(Sampler, {sampler: {}}),
            seed=seed,
            number=number,
            known=[],
            unknown=[],
        )
        values = _worth(ranges, params) + 0.05 * rng.standard_normal(len(seeds))
        ended = _ended(values, (ends or {}).get(number, "COMPLETE"), steps, rng)
        trials.append(Trial.of(number, params, ended, "iqm"))
    winner = best(trials)
    assert winner is not None
    noise = 0.06 * rng.standard_normal(len(fresh_seeds))
    values = (_worth(ranges, winner.params) + noise).tolist()
    fresh = dict(zip(fresh_seeds, values, strict=True))
    return FinishedSweep(
        name=name,
        kind="sql",
        objective=objective,
        statistic="iqm",
        best=worth(winner, fresh, "iqm"),
        seeds=list(seeds),
        steps=steps,
        space=ranges,
        trials=trials,
        fresh=fresh,
    )


def _worth(space: Mapping[str, Range], params: Params) -> float:
    """The more a dimension comes first, the more it matters."""
    worth, known = 0.92, dimensions(space)
    for place, (name, point) in enumerate(params.items()):
        range_ = known[name].range
        if range_.values:
            share = range_.values.index(point) / max(len(range_.values) - 1, 1)
        elif isinstance(range_, LogUniform):
            share = np.log(float(point or 0) / range_.bounds[0])
            share /= np.log(range_.bounds[1] / range_.bounds[0])
        else:
            low, high = range_.bounds
            share = (float(point or 0) - low) / (high - low)
        worth -= 1.6 * (share - 0.6) ** 2 / (place + 1)
    return worth


def _ended(values: Any, state: State, steps: int, rng: Any) -> Outcome:
    at = np.linspace(steps / 10, steps, 10).astype(int)
    last = {"COMPLETE": 10, "PRUNED": 5, "FAIL": 3}[state]
    noise = 0.03 * rng.standard_normal((10, len(values)))
    grown = (1 - np.exp(-4 * at / steps))[:, None] * (values + noise)
    curve = {int(at[n]): grown[n].tolist() for n in range(last)}
    reason = {
        "COMPLETE": "",
        "PRUNED": f"at step {at[4]}: 0.3, below 0.5",
        "FAIL": f"seed 101 stopped at step {at[2]}: its loss is nan",
    }[state]
    done = state == "COMPLETE"
    return Outcome(curve, values.tolist() if done else [], state, reason)


def three() -> FinishedSweep:
    """24 trials of three ranges, some pruned, one failed."""
    space = {
        "learning_rate.policy": LOG,
        "learning_rate.q": LOG,
        "temperature.fixed": {"log_uniform": [0.3, 30.0]},
    }
    ends: dict[int, State] = dict.fromkeys((5, 8, 11, 12, 17), "PRUNED")
    return made(space, 24, ends={**ends, 9: "FAIL"})


def conditional() -> FinishedSweep:
    """8 trials of a choice of blocks, which have dimensions of their own."""
    blocks = {
        "fixed": {"fixed": {"log_uniform": [0.3, 30.0]}},
        "automatic": {
            "automatic": {"initial": 1.0, "learning_rate": LOG, "entropy": -2.0}
        },
    }
    space = {
        "batch": {"integer": [16, 64], "step": 16},
        "temperature": {"choice": blocks},
    }
    return made(space, 8, ends={3: "PRUNED", 6: "FAIL"})


def choices() -> FinishedSweep:
    """A grid of five times five choices."""
    space = {
        "hidden": {"choice": [[32], [64], [128], [64, 64], [128, 128]]},
        "batch": {"choice": [16, 256, 32, 64, 128]},
    }
    return made(space, 25, sampler="grid")


def single() -> FinishedSweep:
    """3 trials of one range."""
    return made({"target.tau": {"uniform": [0.0, 0.05]}}, 3)
