"""What a training takes of this machine, said before it starts.

What is counted is what grows with the settings: replays, in memory or in files;
checkpoints; environments that are objects of their own. All of it is rough but the
bytes of replays, which alone are a reason to refuse.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.core.agents.settings import Algorithm
from pipeline.core.config.computation import Execution
from pipeline.core.config.learner import OffPolicy
from pipeline.core.config.values import parsed
from pipeline.core.job import chunks, trials_together
from pipeline.core.tasks.settings import Task
from pipeline.study.errors import UserError
from pipeline.study.machine.capacity import side_by_side
from pipeline.study.machine.cores import control_groups
from pipeline.study.machine.settings import settings

MEMORY: Final = Path("/proc/meminfo")
NUMBER: Final = 4
"""Bytes of a number in a replay."""
PROCESS: Final = 256 * 2**20
"""Bytes of a process that has torch and nothing else."""
COPY: Final = 2**20
"""Bytes of an environment that is an object: one of MuJoCo."""


@dataclass(frozen=True)
class Needs:
    """What the training of one stage instance takes. Sizes are in bytes."""

    instance: str
    algorithm: str
    task: str
    transitions: int
    """Of each member, as many as its replay will ever hold."""
    processes: int
    """Side by side."""
    replay: int
    """Of the largest process."""
    replays: int
    """All of them that are in memory."""
    environments: int
    disk: int

    @property
    def memory(self) -> int:
        """In all, roughly."""
        return self.processes * PROCESS + self.replays + self.environments

    @property
    def of_job(self) -> int:
        """Memory of one process, roughly."""
        return self.memory // self.processes


def needs_of(said: Mapping[str, Any], algorithm: Algorithm) -> Needs:
    """What a run, or the trials of a sweep that may train at once, take.

    `said` is its description; `algorithm` has the largest replay of what is tried. On
    disk, checkpoints of finished processes wait for the others; while one is
    written, the one before it is there, and so is a replay that is in a file.
    """
    task = parsed(Task, said["task"])
    execution = parsed(Execution, said["execution"])
    jobs = _jobs(said, execution.members_per_process)
    together = max(jobs)
    processes = min(len(jobs), side_by_side(execution.threads))
    transitions = 0
    if isinstance(algorithm, OffPolicy):
        transitions = min(algorithm.replay, said["steps"])
    states, actions = task.widths
    of_member = NUMBER * (2 * states + actions + 2) * transitions
    on_cpu, replay = execution.device == "cpu", together * of_member
    in_file = on_cpu and replay > settings().replay_gib * 2**30
    copies = 0
    if task.at_once is not None:
        judged = (task.evaluation.episodes, task.evaluation.final_episodes)
        copies = together + sum(min(task.at_once, together * n) for n in judged)
    return Needs(
        instance=f"{said['stage']}@{said['run']}",
        algorithm=said["algorithm_name"],
        task=said["task_name"],
        transitions=transitions,
        processes=processes,
        replay=replay,
        replays=processes * replay if on_cpu and not in_file else 0,
        environments=processes * copies * COPY,
        disk=sum(jobs) * of_member + (2 if in_file else 1) * processes * replay,
    )


def _jobs(said: Mapping[str, Any], per_process: int) -> list[int]:
    """Members of each job, of those that may be trained at once."""
    seeds = len(said["seeds"])
    if said["stage"] != "sweep":
        return [part.stop - part.start for part in chunks(seeds, per_process)]
    together = trials_together(seeds, per_process)
    at_once = min(said["trials"], said["lag"] + 1)
    return [together * seeds] * (at_once // together)


def check_needs(needs: Needs, folder: Path) -> None:
    """Refuse what cannot be trained here, and warn of what is tight.

    `folder` is where its checkpoints will be.

    Raises:
        UserError: There is too little disk, or too little memory for replays.
    """
    if reason := impossible(needs, folder):
        raise UserError(f"algorithms.{needs.algorithm}.replay: {reason}")
    warn_if_tight(needs)


def impossible(needs: Needs, folder: Path) -> str | None:
    """Why there is no room for so much replay, and what to write instead."""
    free, total = _disk(folder), _memory("MemTotal", "SwapTotal")
    if needs.disk > free:
        return (
            f"{needs.instance} needs {_size(needs.disk)} of disk in {folder}, for "
            f"checkpoints and for replays that are in files, and {_size(free)} are "
            f"free; write at most {needs.transitions * free // needs.disk}, or free "
            "the disk"
        )
    elsewhere = settings().backend == "ray"  # whose nodes have memory of their own
    if total is not None and needs.replays > total and not elsewhere:
        return (
            f"{needs.instance} needs {_size(needs.replays)} of memory for the replays "
            f"of {needs.processes} processes side by side, and there are "
            f"{_size(total)}; write at most "
            f"{needs.transitions * total // needs.replays}, or set MAXENT_REPLAY_GIB "
            f"below {needs.replay / 2**30:.2g}: larger ones are in files"
        )
    return None


def warn_if_tight(needs: Needs) -> None:
    """Say that there is less memory than is needed just now."""
    available = _memory("MemAvailable")
    elsewhere = settings().backend == "ray"
    if available is None or needs.memory <= available or elsewhere:
        return
    field = (
        f"algorithms.{needs.algorithm}.replay"
        if needs.replays > needs.environments
        else f"tasks.{needs.task}.evaluation.final_episodes"
    )
    print(
        f"warning: {needs.instance} may need {_size(needs.memory)} of memory in "
        f"{needs.processes} processes (replays {_size(needs.replays)}, environments "
        f"{_size(needs.environments)}), and {_size(available)} are available; end "
        f"other programs, set a smaller MAXENT_WORKERS, or write less for {field} or "
        "execution.members_per_process",
        file=sys.stderr,
    )


def _disk(folder: Path) -> int:
    """Free bytes of a folder's disk, and those that its files give back."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    for file in folder.rglob("*"):
        with suppress(OSError):  # it has just been replaced
            free += file.lstat().st_size
    return free


def _memory(*fields: str) -> int | None:
    """Bytes by the system's count, or a container's limit if that is less."""
    lines = MEMORY.read_text().splitlines() if MEMORY.exists() else []
    known = {name: text for name, _, text in (line.partition(":") for line in lines)}
    if not known.keys() >= set(fields):
        return None
    counted = sum(int(known[field].split()[0]) * 1024 for field in fields)
    return min([counted, *_limits()])


def _limits() -> Iterator[int]:
    """Bytes that this process's control group, and each one above it, may use."""
    for folder in control_groups():
        with suppress(OSError, ValueError):  # there is none, or it is `max`
            yield int((folder / "memory.max").read_text())


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
