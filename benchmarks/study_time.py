"""Where a study's time goes, stage by stage.

    python -m benchmarks.study_time          # the checkout's own study
    python -m benchmarks.study_time smoke    # studies/smoke.yaml, in its workspace

Computes what is not up to date, as `make study` does, with clocks in all processes of
its stages (`benchmarks/stage_clock.py`). The results are the same bytes, and are kept.
Prints Markdown, writes its rows to `benchmarks/results/speed_study_NAME.csv`, and goes
into `docs/benchmarks.md` if that has a place for this study.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import stage_clock as parts
from benchmarks.speed import __main__ as speed
from benchmarks.speed import rows
from benchmarks.speed.rows import Row, markdown, spread
from pipeline.study.errors import user_errors
from pipeline.study.machine.cores import available_cores
from pipeline.study.params.load import load_study
from pipeline.study.workspace import prepare

COMPUTING = "other computing"
IDLE = "idle cores"
PARTS = (
    parts.START, parts.COMPILING, parts.TRAINING, parts.JUDGING, parts.TRACKING,
    COMPUTING, IDLE,
)  # fmt: skip
DVC = "dvc"
"""What `dvc repro` does between stages."""
TRAINS = ("sweep", "pretrain", "finetune", "scratch", "explore")
TRACKS = (*TRAINS, "publish", DVC)
"""Stages whose own process keeps records; those of others compute."""
HOOK = """
import os
if "DVC_STAGE" in os.environ and (told := os.environ.pop("STAGE_CLOCK", "")):
    from benchmarks.stage_clock import start
    start(told)
"""
"""What every Python does first: in the first one of a stage, the clock is started."""


def reproduced(workspace: Path) -> list[Row]:
    """Compute what is to be computed in a workspace.

    Returns:
        A row for every stage that was, with processor seconds of its `PARTS`.

    Raises:
        SystemExit: A stage has failed.
    """
    with TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(HOOK)
        told = Path(folder, "told")
        told.touch()
        programs = Path(sys.executable).parent
        environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{folder}{os.pathsep}{speed.ROOT}",
            "STAGE_CLOCK": str(told),
        }
        command = [sys.executable, "-m", "dvc", "repro"]
        begin, before = time.perf_counter(), parts.busy()
        done = subprocess.run(command, cwd=workspace, env=environment, check=False)
        wall, busy = time.perf_counter() - begin, parts.busy() - before
        if done.returncode:
            raise SystemExit(done.returncode)
        stages: dict[str, Counter[str]] = {}
        for line in told.read_text().splitlines():
            said = json.loads(line)
            stages.setdefault(said.pop("stage"), Counter()).update(said)
    whole = Counter({parts.WALL: wall, parts.BUSY: busy})
    for spent in stages.values():
        whole -= Counter({name: spent[name] for name in whole})
    return [row(stage, spent) for stage, spent in [*stages.items(), (DVC, whole)]]


def row(stage: str, spent: Mapping[str, float]) -> Row:
    """All parts of a stage: what no process has charged is left to its own, or idle."""
    cores, wall, busy = available_cores(), spent[parts.WALL], spent[parts.BUSY]
    found = {part: spent.get(part, 0.0) for part in PARTS}
    rest = parts.TRACKING if stage.partition("@")[0] in TRACKS else COMPUTING
    found[rest] += busy - sum(found.values())
    found[IDLE] = cores * wall - busy
    return {"stage": stage, "cores": cores, parts.WALL: wall, **found}


def lines(found: Sequence[Row]) -> Iterator[str]:
    """A row for every stage, all of them together, and what of training is tracking."""
    total = {
        name: sum(float(each[name]) for each in found) for name in (parts.WALL, *PARTS)
    }
    whole = sum(total[part] for part in PARTS)
    yield from markdown(
        ["stage", "seconds", *PARTS],
        [
            *([str(each["stage"]), *_seconds(each)] for each in found),
            ["all", *_seconds(total)],
            ["share, %", "", *(f"{100 * total[part] / whole:.1f}" for part in PARTS)],
        ],
    )
    trained = [each for each in found if each[parts.TRAINING]]
    if trained:
        shares = [100 * float(each[parts.TRACKING]) / _busy(each) for each in trained]
        busy = sum(map(_busy, trained))
        whole = sum(float(each[parts.TRACKING]) for each in trained)
        yield (
            f"\nOf what stages that train compute, {100 * whole / busy:.1f} % is "
            f"{parts.TRACKING}; of one of them, {spread(shares, 2)} % (P8)."
        )


def _busy(row: Row) -> float:
    return sum(float(row[part]) for part in PARTS if part != IDLE)


def _seconds(row: Row) -> list[str]:
    return [f"{float(row[name]):.1f}" for name in (parts.WALL, *PARTS)]


def main(study: str = "") -> None:
    with user_errors():
        workspace = prepare(study, speed.ROOT) if study else speed.ROOT
        name = load_study(workspace / "params.yaml").study.name
    table = f"study_{name}"
    rows.write(speed.file(table), reproduced(workspace))
    where, found = rows.read(speed.file(table))
    content = "\n".join([where, "", *lines(found)])
    print(content)
    with suppress(ValueError):  # the document has no place for this study
        document = speed.with_table(speed.DOCUMENT.read_text(), table, content)
        speed.DOCUMENT.write_text(document)


if __name__ == "__main__":
    main(*sys.argv[1:])
