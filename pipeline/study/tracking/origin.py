"""Where a run comes from: the commit, the command, the experiment of DVC."""

import os
import subprocess
import sys
from functools import cache
from typing import Final

GIT_SECONDS: Final = 10


def origin_tags(command: str) -> dict[str, str]:
    """Tags of a command and the commit, by the names by which MLflow shows them."""
    tags = {"mlflow.source.name": command, "mlflow.source.type": "LOCAL"}
    experiment = os.environ.get("DVC_EXP_NAME")
    if experiment:
        tags["dvc.experiment"] = experiment
    commit = _git("rev-parse", "HEAD")
    if commit:
        changed = _git(
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--",
            ":/",
            ":(top,exclude)dvc.lock",
        )
        tags["mlflow.source.git.commit"] = commit
        tags["mlflow.source.git.dirty"] = str(bool(changed))
    return tags


def _git(*arguments: str) -> str:
    """What git answers, empty where there is no git or no repository; may warn."""
    try:
        answer = subprocess.run(
            ["git", *arguments],
            env=os.environ | {"LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if answer.returncode == 0:
        return answer.stdout.strip()
    if "not a git repository" not in answer.stderr:
        _warn(" ".join(answer.stderr.split()))
    return ""


@cache
def _warn(reason: str) -> None:
    """Say once why commits are missing."""
    print(f"warning: MLflow is told no commit: {reason}", file=sys.stderr)
