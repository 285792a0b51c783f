"""Fill in what MLflow does not have yet.

Command: `python -m stages.publish`
Reads `dvc.lock` and every output that it names.
Writes the MLflow store.
"""

import sys
from io import TextIOWrapper
from pathlib import Path

from pipeline.study.errors import user_errors
from pipeline.study.params.load import load_study
from pipeline.study.tracking.failures import StoreError
from pipeline.study.tracking.publishing import publish


def main() -> None:
    """Publish the study of the current folder."""
    if isinstance(sys.stdout, TextIOWrapper):  # a path may have any letter
        sys.stdout.reconfigure(errors="backslashreplace")
    with user_errors():
        study = load_study()
        try:
            print(publish(Path.cwd(), study=study.study.name))
        except StoreError as error:
            sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
