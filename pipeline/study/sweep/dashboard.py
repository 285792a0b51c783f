"""A copy of a sweep for Optuna's own dashboard; nothing is ever read from it.

`optuna-dashboard sqlite:///optuna.db` shows the trials while the sweep goes on.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.study.machine.settings import store_root
from pipeline.study.sweep.trials import Space, Trial, frozen_trials

if TYPE_CHECKING:
    from optuna import Study


class Dashboard:
    """One study in `optuna.db` at the root of the checkout. Nothing here ever raises.

    A study of the same name is replaced.
    """

    def __init__(self, name: str, space: Space) -> None:
        self._name = name
        self._space = space
        self._study: Study | None = None
        self._shown = 0
        self._failed = False

    def show(self, trials: Sequence[Trial]) -> None:
        """Add the trials that are new."""
        if self._failed:
            return
        try:
            if self._study is None:
                self._study = _new_study(self._name)
            self._study.add_trials(frozen_trials(self._space, trials[self._shown :]))
            self._shown = len(trials)
        except Exception as error:  # the sweep is worth more than its copy
            self._failed = True
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            print(f"warning: optuna.db is not kept up: {reason}", file=sys.stderr)


def _new_study(name: str) -> "Study":
    """An empty study in the place of any that there was."""
    import optuna

    storage = f"sqlite:///{store_root() / 'optuna.db'}"
    if name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize")
