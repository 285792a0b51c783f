"""A copy of a sweep in Optuna's storage, for dashboards; nothing is read from it.

`optuna-dashboard sqlite:///optuna.db` shows the trials while the sweep goes on. Only
trials that are over are there, in the order of their numbers, so that a sweep that was
killed leaves none behind that seems to run, and a number means the same everywhere.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import settings
from pipeline.study.store.locks import held
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.samplers import frozen_trials
from pipeline.study.sweep.trials import Trial
from pipeline.study.tracking.address import (
    absolute,
    database_file,
    set_defaults,
    without_password,
)

if TYPE_CHECKING:
    from optuna import Study
    from sqlalchemy import Engine

VARIABLE: Final = "MAXENT_OPTUNA_STORAGE"
KEY: Final = "key"
"""Attribute of a study that says which trials are in it; the last to be written."""
LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('maxent'))"
CONNECTED_ANEW: Final = {"pool_pre_ping": True}
"""Options of SQLAlchemy: a server that was restarted is noticed before it is used."""
SECONDS_AFTER_A_FAILURE: Final = 30.0


class Storage:
    """One study in Optuna's storage: that of `MAXENT_OPTUNA_STORAGE`, or a file."""

    def __init__(self, study: str, plan: SweepPlan) -> None:
        """Open the sweep's study, or make it.

        Raises:
            UserError: The storage cannot be reached, or has another search of its name.
        """
        self._plan = plan
        self._name = f"{study} sweep@{plan.name} {plan.trials_key[:8]}"
        self._url = absolute(settings().optuna_storage or "sqlite:///optuna.db")
        self._writer = ThreadPoolExecutor(1)  # a trial takes it 20 ms and more
        self._over: dict[int, Trial] = {}
        self._failed = False
        self._next_try = 0.0  # of time.monotonic()
        set_defaults()
        try:
            self._engine = _engine(self._url)
            with self._alone():
                self._check_tables()
                self._study = self._opened()
                is_own = self._is_own()
        except UserError:
            raise
        except Exception as error:
            reason = f"{_reason(error)}; {self._advice(error)}"
            raise UserError(f"{self.address} cannot be used: {reason}") from None
        if not is_own:
            raise UserError(
                f"{self.address} has a study '{self._name}' that is not a copy of this "
                "sweep; rename the study of params.yaml, or delete that one: "
                f"optuna delete-study --study-name '{self._name}' --storage ADDRESS"
            )

    @property
    def address(self) -> str:
        """Where it is, as it may be shown."""
        return without_password(self._url)

    def show(self, over: Mapping[int, Trial]) -> None:
        """Add the trials that are not there, up to the first that is not over.

        It neither waits nor raises: the sweep is worth more than its copy.
        """
        self._over = dict(over)
        self._writer.submit(self._add_if_due)

    def close(self) -> None:
        """Wait until everything that was shown is there, or cannot be."""
        self._writer.submit(self._add)  # once more, if it failed
        self._writer.shutdown()
        self._engine.dispose()

    def _add_if_due(self) -> None:
        if time.monotonic() >= self._next_try:
            self._add()

    def _add(self) -> None:
        over = self._over
        try:
            with self._alone():
                there = len(self._study.get_trials(deepcopy=False))
                new: list[Trial] = []
                while there + len(new) in over:
                    new.append(over[there + len(new)])
                self._study.add_trials(frozen_trials(self._plan.space, new))
        except Exception as error:
            self._next_try = time.monotonic() + SECONDS_AFTER_A_FAILURE
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        """Say once that the copy is incomplete."""
        if not self._failed:
            self._failed = True
            print(
                f"warning: {self.address} is not kept up: {_reason(error)}; the sweep "
                "goes on, and what is missing is added when that works again, if not "
                f"before its end then by the next run of sweep@{self._plan.name}",
                file=sys.stderr,
            )

    def _check_tables(self) -> None:
        """Refuse a database in which another program has its tables.

        Raises:
            UserError: There are some, and none of Optuna's.
        """
        import sqlalchemy

        tables = sqlalchemy.inspect(self._engine).get_table_names()
        if tables and "studies" not in tables:
            raise UserError(
                f"{self.address} belongs to another program (it has a table "
                f"'{tables[0]}'); give {VARIABLE} a database of its own"
            )

    def _opened(self) -> "Study":
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            storage=optuna.storages.RDBStorage(self._url, CONNECTED_ANEW),
            study_name=self._name,
            direction="maximize",
            load_if_exists=True,
        )
        is_new = study.direction.name == "MAXIMIZE" and not study.trials
        if is_new and not study.user_attrs.keys() - self._described:
            for name, value in self._described.items():
                study.set_user_attr(name, value)
        return study

    @property
    def _described(self) -> dict[str, object]:
        """What the study says of itself."""
        said = self._plan.said
        return {
            "algorithm": said["algorithm_name"],
            "task": said["task_name"],
            "objective": said["objective"],
            "steps": said["steps"],
            "seeds": said["seeds"],
            KEY: self._plan.trials_key,
        }

    def _is_own(self) -> bool:
        """Whether this sweep made the study, and nobody else has added trials."""
        return self._study.user_attrs.get(KEY) == self._plan.trials_key and all(
            trial.user_attrs.get("trial") == trial.number
            for trial in self._study.get_trials(deepcopy=False)
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others away who make tables, or add the same trials."""
        if (file := database_file(self._url)) is not None:
            with held(file):
                yield
        elif self._engine.dialect.name == "postgresql":
            with self._engine.connect() as connection:
                connection.exec_driver_sql(LOCK)
                yield
        else:
            yield

    def _advice(self, error: Exception) -> str:
        if isinstance(error, ImportError):
            return "install that driver into the environment"
        if (file := database_file(self._url)) is not None:
            return f"if {file.name} is damaged, move it away: it is made anew"
        return f"look at the server and at {VARIABLE}, or unset it to copy to optuna.db"


def _engine(url: str) -> "Engine":
    import sqlalchemy

    return sqlalchemy.create_engine(url, **CONNECTED_ANEW)


def _reason(error: BaseException) -> str:
    """The first line of what went wrong in the first place."""
    while error.__cause__ is not None:
        error = error.__cause__
    return without_password((str(error).splitlines() or [type(error).__name__])[0])
