"""Fill in what MLflow does not have yet: `python -m stages.publish`.

Reads: `dvc.lock` and every output that it names.
Writes: the MLflow store.
"""

import sys
from pathlib import Path

from pipeline.study.errors import user_errors
from pipeline.study.params import load_study
from pipeline.study.publishing import publish
from pipeline.study.store import StoreError


def main() -> int:
    """Publish the study of the current folder; the exit status."""
    try:
        print(publish(Path.cwd(), study=load_study().study.name))
    except StoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    with user_errors():
        sys.exit(main())
