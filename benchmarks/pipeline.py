"""What the pipeline costs when there is nothing to compute.

    python -m benchmarks.pipeline             # beside bare DVC projects
    python -m benchmarks.pipeline imports     # what each stage imports, in seconds

The first computes the smoke study once in a clone in a temporary folder, which takes
minutes; `python -m benchmarks.pipeline FOLDER` takes a checkout with an up-to-date
smoke study instead. Repeats are interleaved; every cell is the median and, in brackets,
the smallest and largest value.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.machine import machine

ROOT = Path(__file__).parents[1]
REPEATS = 9
IMPORT_REPEATS = 5
STUDY = "smoke"
DVC = [sys.executable, "-m", "dvc"]
PACKAGES = ("dvc", "ruamel.yaml", "mlflow")


def run(folder: Path, *command: str) -> str:
    """Run a command in a folder; what it printed."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "true",
        "PYTHONPATH": "",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, check=True,
        stdout=subprocess.PIPE,
    ).stdout  # fmt: skip


def timed(folder: Path, *command: str) -> tuple[float, float]:
    """Seconds on the clock and of the processor, of a command in a folder."""
    spent, began = os.times(), time.perf_counter()
    run(folder, *command)
    now = os.times()
    processor = sum(now[2:4]) - sum(spent[2:4])  # of children
    return time.perf_counter() - began, processor


def shown(values: Sequence[float]) -> str:
    """Median, smallest and largest."""
    middle = statistics.median(values)
    return f"{middle:.2f} [{min(values):.2f}, {max(values):.2f}]"


# ------------------------------------------------------------------------ no changes


def computed(target: Path) -> Path:
    """A clone whose smoke study is computed."""
    run(ROOT, "git", "clone", "-q", str(ROOT), str(target))
    (target / ".venv").symlink_to(Path(sys.executable).parents[1])
    run(target, "make", "study", f"STUDY={STUDY}")
    return target


def bare(target: Path, stages: int, params: Path | None = None) -> Path:
    """A computed DVC project whose stages write a number into a file.

    Args:
        target: Where to.
        stages: How many.
        params: Every stage depends on the first entry of this file, if there is one.
    """
    target.mkdir()
    more = {}
    if params is not None:
        shutil.copy(params, target / "params.yaml")
        more = {"params": ["study"]}
    described = {
        f"stage_{number}": {
            "cmd": f"echo {number} > {number}.txt",
            "outs": [f"{number}.txt"],
            **more,
        }
        for number in range(stages)
    }
    (target / "dvc.yaml").write_text(json.dumps({"stages": described}))
    (target / ".gitignore").write_text("*.txt\n")
    run(target, "git", "init", "-q")
    run(target, *DVC, "init", "-q")
    run(target, *DVC, "repro", "-q")
    return target


def no_changes(scratch: Path, checkout: Path) -> Iterator[str]:
    """Everything that is up to date, done again."""
    workspace = checkout / ".studies" / STUDY
    count = len(run(workspace, *DVC, "stage", "list", "--name-only").split())
    params = workspace / "params.yaml"
    repro = [*DVC, "repro"]
    cases: Mapping[str, tuple[Path, Sequence[str]]] = {
        f"`dvc repro`, {count} bare stages": (bare(scratch / "bare", count), repro),
        f"`dvc repro`, {count} bare stages, each with a parameter of the same file": (
            bare(scratch / "parameters", count, params),
            repro,
        ),
        "`dvc repro`, the smoke study": (workspace, repro),
        "`make study STUDY=smoke`": (checkout, ["make", "study", f"STUDY={STUDY}"]),
        "of that, the workspace": (
            checkout,
            [sys.executable, "-m", "pipeline.study.workspace", STUDY],
        ),
        "of that, `python -m stages.publish`": (
            workspace,
            [sys.executable, "-m", "stages.publish"],
        ),
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for repeat in range(REPEATS + 1):
        for name, (folder, command) in cases.items():
            spent = timed(folder, *command)
            if repeat:  # the first one fills the disk's cache
                measured[name].append(spent)
    yield "| nothing to do | seconds | processor seconds | over bare |"
    yield "|---|---|---|---|"
    (_, first), *_ = measured.items()
    for name, pairs in measured.items():
        clock, processor = ([one[part] for one in pairs] for part in (0, 1))
        over = [one[1] / base[1] for one, base in zip(pairs, first, strict=True)]
        yield f"| {name} | {shown(clock)} | {shown(processor)} | {shown(over)} |"
    yield f"\n{REPEATS} interleaved repeats; the ratio is of processor seconds."


# --------------------------------------------------------------------------- imports

IMPORT = """
import sys, time
before = len(sys.modules)
began = time.process_time()
__import__(sys.argv[1])
spent = time.process_time() - began
heavy = [name for name in sys.argv[2].split(",") if name in sys.modules]
print(spent, len(sys.modules) - before, ", ".join(heavy) or "none", sep=";")
"""
HEAVY = "torch,mlflow,optuna,matplotlib,sklearn,pandas,scipy.stats,scipy,gymnasium"


def imports() -> Iterator[str]:
    """What `python -m stages.STAGE` imports before it reads anything."""
    stages = sorted(file.stem for file in (ROOT / "stages").glob("[a-z]*.py"))
    seconds: dict[str, list[float]] = {stage: [] for stage in stages}
    others: dict[str, tuple[str, str]] = {}
    for repeat in range(IMPORT_REPEATS + 1):
        for stage in stages:
            command = [sys.executable, "-c", IMPORT, f"stages.{stage}", HEAVY]
            spent, modules, heavy = run(ROOT, *command).strip().split(";")
            others[stage] = (modules, heavy)
            if repeat:
                seconds[stage].append(float(spent))
    yield "| stage | processor seconds | modules | of these |"
    yield "|---|---|---|---|"
    for stage in stages:
        modules, heavy = others[stage]
        yield f"| {stage} | {shown(seconds[stage])} | {modules} | {heavy} |"
    yield f"\n{IMPORT_REPEATS} interleaved repeats."


def main(*arguments: str) -> None:
    print(f"Measured on: {machine(*PACKAGES)}\n")
    if arguments == ("imports",):
        print("\n".join(imports()))
        return
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        given = [Path(each).resolve() for each in arguments]
        checkout = given[0] if given else computed(scratch / "checkout")
        print("\n".join(no_changes(scratch, checkout)))


if __name__ == "__main__":
    main(*sys.argv[1:])
