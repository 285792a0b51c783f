"""A DVC project with a pipeline of stubs, whose files are those of real stages."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]

PIPELINE = """
stages:
  check:
    desc: a mistake is answered here
    cmd: python make.py check
    outs: [results/check/verdict.txt]
  sweep:
    foreach: [sql_multigoal]
    do:
      desc: the best trial is what training uses
      cmd: python make.py sweep ${item}
      deps: [make.py]
      outs: ['results/sweep/${item}/best.yaml', 'results/sweep/${item}/trials']
  scratch:
    foreach: ${scratch.runs}
    do:
      desc: learn one way, from fresh networks
      cmd: python make.py scratch ${key}
      deps: [make.py]
      params: [scratch.steps, study.seeds]
      outs: ['results/runs/scratch/${key}']
  compare:
    desc: statistics over seeds
    cmd: python make.py compare
    deps: [results/runs]
    outs: [results/compare/metrics.json]
  report:
    desc: every figure and one page
    cmd: python make.py report
    deps: [results/compare]
    outs: [results/report]
"""


def environment() -> dict[str, str]:
    """Environment in which DVC and the stages of this checkout can be started."""
    scripts = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "DVC_NO_ANALYTICS": "true",
    }


def run(root: Path, *command: str, status: int = 0, timeout: float = 300) -> str:
    """Run a command in a project; what it printed."""
    done = subprocess.run(
        command,
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def await_server(address: str) -> None:
    """Wait until a server that was started answers."""
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.2)


def make_project(root: Path) -> Path:
    """Make a project at a commit, with its results computed."""
    root.mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", root)
    (root / "dvc.yaml").write_text(PIPELINE)
    shutil.copy(ROOT / "tests/stub_stage.py", root / "make.py")
    (root / ".gitignore").write_text("/results/\n/mlflow.db\n/mlartifacts/\n")
    run(root, "git", "init", "-q")
    run(root, "git", "config", "user.name", "Tester")
    run(root, "git", "config", "user.email", "tester@example.org")
    run(root, "dvc", "init", "-q")
    run(root, "dvc", "repro", "-q")
    commit(root, "compute the study")
    return root


def commit(root: Path, message: str) -> str:
    """Commit everything; the commit."""
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-q", "--allow-empty", "-m", message)
    return run(root, "git", "rev-parse", "HEAD").strip()
