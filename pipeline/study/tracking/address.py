"""Where the MLflow store is, and how several processes come to it for the first time.

A database without tables is filled by whoever opens it first. MLflow does that without
a lock, and two processes that do it at the same time leave a broken database. So the
first contact is made under a lock, on the folder that the database is in.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pipeline.study.store.locks import held

SQLITE: Final = "sqlite:///"

QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Defaults, unless the user has set them: MLflow's own wait minutes for a server."""


def set_defaults() -> None:
    """Set up MLflow before it is imported, where the user has not."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def is_database(uri: str) -> bool:
    """Whether this process writes to the database itself, not through a server."""
    return urlsplit(uri).scheme.partition("+")[0] in (
        "sqlite",
        "postgresql",
        "mysql",
        "mssql",
    )


def without_password(text: str) -> str:
    """A text as it may be shown: addresses in it lose their user and password."""
    return re.sub(r"//[^/@\s]*@", "//", text)


@contextmanager
def first_contact(uri: str) -> Iterator[bool]:
    """Hold the lock under which tables are made; says if a database file is new."""
    if not uri.startswith(SQLITE):
        yield False
        return
    database = Path(uri.removeprefix(SQLITE))
    with held(database):
        yield not database.exists()
