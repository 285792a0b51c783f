"""A store that fails, told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.study.tracking.address import without_password


class StoreError(Exception):
    """The store cannot be reached or does not answer; `str` is one line."""


@contextmanager
def reached(address: str) -> Iterator[None]:
    """Turn a failure of the store into one line.

    Raises:
        StoreError: The store failed.
    """
    try:
        yield
    except Exception as error:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        known = MlflowException, SQLAlchemyError, ImportError, OSError
        if not isinstance(error, known):
            raise
        told = without_password(str(error)).strip() or type(error).__name__
        raise StoreError(
            f"the MLflow store {address} does not answer: "
            f"{told.splitlines()[0][:300]}{_advice(error)}"
        ) from error


def _advice(error: Exception) -> str:
    """What to do about an error that does not say it."""
    if isinstance(error, ImportError):
        return "; that is the driver of the database: install it"
    if "not a database" in str(error):
        return "; move it away, a new one is filled from the files"
    return ""
