"""What a trial tries, as a function of the sweep's seed and the trials before it.

A sampler is made anew for every trial, from the seed and the trial's number, and told
the trials before it in their order: none has a state that would have to be kept.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

import numpy as np

from pipeline.study.params.ranges import (
    Choice,
    Integer,
    LogUniform,
    Point,
    Range,
    Uniform,
)
from pipeline.study.params.space import Dimension, Params, Space, dimensions, grid
from pipeline.study.params.sweep import Gp, Grid, Qmc, QmcSettings, Sampler, Tpe
from pipeline.study.sweep.trials import Trial

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OptunaTrial


def propose(
    space: Space,
    sampler: Sampler,
    *,
    seed: int,
    number: int,
    known: Sequence[Trial],
    unknown: Sequence[Params],
) -> Params:
    """What a trial of that number tries.

    `known` are trials whose results it may depend on; `unknown` is what those between
    them and it try, which are about to be trained or are.
    """
    match sampler:
        case Grid():
            tried = grid(space)
            return tried[int(_generator(seed).permutation(len(tried))[number])]
        case Qmc(qmc=settings):
            return _at(space, _covering(settings, seed, number, len(dimensions(space))))
        case Tpe(tpe=settings) | Gp(gp=settings):
            guides = [trial for trial in known if trial.state != "FAIL"]
            if len(guides) >= settings.startup_trials and guides:
                return _guided(space, sampler, seed, number, known, unknown)
    return _at(space, _generator(seed, number).random(len(dimensions(space))))


def _generator(*seeds: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seeds))


def _at(space: Space, shares: Iterable[float]) -> Params:
    """The point at shares of the way through every dimension of a space."""
    params: Params = {}
    for dimension, share in zip(dimensions(space).values(), shares, strict=True):
        if dimension.is_active(params):
            params[dimension.name] = dimension.range.at(float(share))
    return params


def _covering(settings: QmcSettings, seed: int, number: int, width: int) -> Any:
    """One point of a scrambled sequence in [0, 1)^width."""
    from scipy.stats import qmc

    kind = qmc.Sobol if settings.sequence == "sobol" else qmc.Halton
    points = kind(width, scramble=True, rng=_generator(seed))
    if number:
        points.fast_forward(number)
    return points.random(1)[0]


# --------------------------------------------------------------------------- optuna


def _guided(
    space: Space,
    sampler: Tpe | Gp,
    seed: int,
    number: int,
    known: Sequence[Trial],
    unknown: Sequence[Params],
) -> Params:
    """What Optuna proposes; it imagines results of trials that are not known."""
    import optuna  # takes 0.3 s, which not every sampler need pay
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    (state,) = np.random.SeedSequence([seed, number]).generate_state(1)
    study = optuna.create_study(
        direction="maximize", sampler=_optunas(sampler, int(state))
    )
    study.add_trials(frozen_trials(space, known))
    study.add_trials(
        create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions=_distributions(space, params),
        )
        for params in unknown
    )
    trial = study.ask()
    params: Params = {}
    for dimension in dimensions(space).values():
        if dimension.is_active(params):
            params[dimension.name] = _suggested(trial, dimension)
    return params


def _suggested(trial: "OptunaTrial", dimension: Dimension) -> Point:
    match dimension.range:
        case Choice(values=values):
            return trial.suggest_categorical(dimension.name, values)
        case Integer(bounds=(low, high), step=step):
            return trial.suggest_int(dimension.name, low, high, step=step or 1)
        case LogUniform(bounds=(low, high)):
            return trial.suggest_float(dimension.name, low, high, log=True)
        case Uniform(bounds=(low, high), step=step):
            return trial.suggest_float(dimension.name, low, high, step=step)
    raise TypeError(dimension.range)


def _optunas(sampler: Tpe | Gp, state: int) -> "BaseSampler":
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import GPSampler, TPESampler

    match sampler:
        case Tpe(tpe=settings):
            with catch_warnings():
                simplefilter("ignore", ExperimentalWarning)  # of `group`
                return TPESampler(
                    seed=state,
                    n_startup_trials=0,
                    n_ei_candidates=settings.candidates,
                    multivariate=True,
                    group=True,
                )
        case Gp():
            return GPSampler(seed=state, n_startup_trials=0)


def distribution_of(range_: Range) -> "BaseDistribution":
    """A range in Optuna's words."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match range_:
        case Choice():
            return CategoricalDistribution(range_.values)
        case Integer():
            return IntDistribution(*range_.bounds, step=range_.step or 1)
        case LogUniform():
            return FloatDistribution(*range_.bounds, log=True)
        case _:
            return FloatDistribution(*range_.bounds, step=range_.step)


def _distributions(space: Space, params: Params) -> "dict[str, BaseDistribution]":
    ranges = dimensions(space)
    return {name: distribution_of(ranges[name].range) for name in params}


def frozen_trials(space: Space, trials: Sequence[Trial]) -> list["FrozenTrial"]:
    """Trials that are over, in Optuna's words."""
    from optuna.trial import TrialState, create_trial

    return [
        create_trial(
            state=TrialState[trial.state],
            value=trial.value,
            params=trial.params,
            distributions=_distributions(space, trial.params),
            intermediate_values=dict(trial.statistics),
            user_attrs={"trial": trial.number, "values": trial.values}
            | ({"reason": trial.reason} if trial.reason else {}),
        )
        for trial in trials
    ]
