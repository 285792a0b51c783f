"""A copy of a sweep in Optuna's storage, for dashboards; nothing is read from it.

`optuna-dashboard sqlite:///optuna.db` shows the trials while the sweep goes on. Only
trials that are over are there, in the order of their numbers, so that a sweep that was
killed leaves none behind that seems to run.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import settings, store_root
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.samplers import frozen_trials
from pipeline.study.sweep.trials import Trial

if TYPE_CHECKING:
    from optuna import Study

KEY = "maxent.key"
"""Attribute of a study that says which trials are in it."""


class Storage:
    """One study in Optuna's storage: that of `MAXENT_OPTUNA_STORAGE`, or a file."""

    def __init__(self, study: str, plan: SweepPlan) -> None:
        """Open the sweep's study, or make it.

        Raises:
            UserError: The storage cannot be reached, or has another search of its name.
        """
        self._plan = plan
        self._study = _opened(f"{study} sweep@{plan.name} {plan.trials_key[:8]}", plan)
        self._shown = len(self._study.get_trials(deepcopy=False))
        self._failed = False

    def show(self, over: Mapping[int, Trial]) -> None:
        """Add the trials that are new, up to the first that is not over.

        It never raises: the sweep is worth more than its copy.
        """
        new: list[Trial] = []
        while self._shown + len(new) in over:
            new.append(over[self._shown + len(new)])
        if not new or self._failed:
            return
        try:
            self._study.add_trials(frozen_trials(self._plan.space, new))
        except Exception as error:
            self._failed = True
            print(
                f"warning: {_address()} is not kept up: {_reason(error)}; "
                f"`dvc repro sweep@{self._plan.name}` adds what is missing",
                file=sys.stderr,
            )
        self._shown += len(new)


def _opened(name: str, plan: SweepPlan) -> "Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = settings().optuna_storage or f"sqlite:///{store_root() / 'optuna.db'}"
    try:
        study = optuna.create_study(
            storage=url, study_name=name, direction="maximize", load_if_exists=True
        )
        if not study.trials and KEY not in study.user_attrs:
            study.set_user_attr(KEY, plan.trials_key)
        key = study.user_attrs.get(KEY)
    except Exception as error:
        raise UserError(f"{_address()} cannot be used: {_reason(error)}") from None
    if key != plan.trials_key:
        raise UserError(f"{_address()} has another study '{name}'")
    return study


def _address() -> str:
    return settings().optuna_storage or "optuna.db"


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
