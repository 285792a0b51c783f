"""Where the MLflow store is, and how several processes come to it for the first time.

A database without tables is filled by whoever opens it first. MLflow does that without
a lock, and two processes that do it at the same time leave a broken database. So the
first contact is made under a lock, beside the database.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import store_root
from pipeline.study.store.locks import held

VARIABLE: Final = "MLFLOW_TRACKING_URI"
FILE: Final = re.compile(r"(sqlite(?:\+\w+)?:///)(?!file:)([^?]+)(.*)")
"""Address of a database in a file: how it is opened, its path, and options."""
ARTIFACTS: Final = "mlartifacts"

QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PGCONNECT_TIMEOUT": "5",
}
"""Defaults, unless the user has set them: MLflow's own wait minutes for a server, and
print pages about what is told here in a line."""
SECONDS_TO_ANSWER: Final = 5.0


def set_defaults() -> None:
    """Set up MLflow before it is imported, where the user has not."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def tracking_uri() -> str:
    """Address of the MLflow store; a path in it is a path in the checkout.

    Raises:
        UserError: The address that the user gives is one where MLflow keeps nothing.
    """
    given = os.environ.get(VARIABLE) or "sqlite:///mlflow.db"
    scheme, _, place = given.partition(":")
    if scheme == "file" or not (place or given == "databricks"):
        _refuse(given, "MLflow keeps no runs in a folder any more")
    if scheme.startswith("sqlite") and place.strip("/") in ("", ":memory:"):
        _refuse(given, "what is in memory is gone with the process")
    return absolute(given)


def absolute(uri: str) -> str:
    """An address in which the path of a database is a path in the checkout."""
    return FILE.sub(lambda found: f"{found[1]}{store_root() / found[2]}{found[3]}", uri)


def _refuse(given: str, reason: str) -> NoReturn:
    raise UserError(
        f"{VARIABLE}={given}: {reason}; give a database, as sqlite:///mlflow.db, "
        "or a server, as http://HOST:PORT"
    )


def artifact_location(uri: str) -> Path:
    """Folder of the artifacts of a database: beside its file, if it is one."""
    file = database_file(uri)
    return (store_root() if file is None else file.resolve().parent) / ARTIFACTS


def database_file(uri: str) -> Path | None:
    """The file that a database is in, if it is in one."""
    found = FILE.fullmatch(uri)
    return None if found is None else Path(found[2])


def is_in_checkout(uri: str) -> bool:
    """Whether the store is a file of this checkout."""
    file = database_file(uri)
    return file is not None and file.resolve().is_relative_to(store_root())


def is_database(uri: str) -> bool:
    """Whether this process writes to the database itself, not through a server."""
    return urlsplit(uri).scheme.partition("+")[0] in (
        "sqlite",
        "postgresql",
        "mysql",
        "mssql",
    )


def ask(uri: str) -> None:
    """Ask the store for a sign of life, once: MLflow itself tries for minutes.

    Raises:
        Exception: A database cannot be opened, or a server does not answer; which one
            is for the driver to say.
    """
    if is_database(uri):
        import sqlalchemy

        engine = sqlalchemy.create_engine(uri)
        try:
            sqlalchemy.inspect(engine).get_table_names()
        finally:
            engine.dispose()
    elif uri.startswith("http"):
        import requests

        with suppress(requests.exceptions.SSLError):  # MLflow has its own settings
            requests.head(uri, timeout=SECONDS_TO_ANSWER)


def without_password(text: str) -> str:
    """A text as it may be shown: addresses in it lose their user and password."""
    text = re.sub(r"//\S*@", "//", text)
    return re.sub(r"(password=)[^&\s]+", r"\1…", text)


@contextmanager
def first_contact(uri: str) -> Iterator[bool]:
    """Hold the lock under which tables are made; says if a database file is new."""
    database = database_file(uri)
    if database is None:
        yield False
        return
    with held(database):
        yield not database.exists()
