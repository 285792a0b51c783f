"""Which environments learners can be trained in, and what is refused.

    python -m benchmarks.environments          # writes docs/environments.md
    python -m benchmarks.environments ID       # one environment, as JSON

Every environment of Gymnasium in its newest version, and a few of other packages where
they are installed, is checked as `check` does it. In what passes, each learner makes a
short training, again in a second process, and the bytes of both are compared. Whether
anything is learned is not the question. Without a package, its rows are missing.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from pydantic import TypeAdapter

from benchmarks.machine import machine
from pipeline.core.agents.settings import Algorithm
from pipeline.core.job import Job
from pipeline.core.tasks.gymnasium.inspection import mistakes
from pipeline.core.tasks.settings import Task
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
from pipeline.study.params.load import load_study

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "environments.md"
LEARNERS: Final = ("ddpg", "sac_value_network", "sql", "reinforce")
"""Of `studies/variants.yaml`, a learner of each kind."""
STEPS: Final = 300
HORIZON: Final = 100
SEEDS: Final = (0, 1)
PACKAGES: Final = (
    "torch",
    "numpy",
    "gymnasium",
    "mujoco",
    "Box2D",
    "gymnasium-robotics",
    "highway-env",
)
"""Whose versions are told, where they are installed."""
OTHERS: Final = (
    "gymnasium_robotics:AdroitHandDoor-v1",
    "gymnasium_robotics:AntMaze_UMaze-v5",
    "gymnasium_robotics:FetchReach-v4",
    "gymnasium_robotics:PointMaze_UMaze-v3",
    "highway_env:highway-v0",
    "highway_env:parking-v0",
    "highway_env:racetrack-v1",
)
"""Environments of other packages."""


def names() -> list[str]:
    """The newest version of each of Gymnasium's own, then the others that are here."""
    newest: dict[tuple[str | None, str], tuple[int, str]] = {}
    for name, spec in gymnasium.registry.items():
        if str(spec.entry_point).startswith("gymnasium.envs."):
            known = (spec.namespace, spec.name)
            version = spec.version or 0
            newest[known] = max(newest.get(known, (version, name)), (version, name))
    own = sorted(name for _, name in newest.values())
    return own + [name for name in OTHERS if find_spec(name.partition(":")[0])]


def task(name: str) -> Any:
    """A short task in an environment."""
    described = {
        "kind": "gymnasium",
        "id": name,
        "horizon": HORIZON,
        "discount": 0.99,
        "objective": "return",
        "evaluation": {
            "every": STEPS, "episodes": 1, "final_episodes": 2, "policy": "greedy",
        },
    }  # fmt: skip
    return TypeAdapter(Task).validate_python(described)


@cache
def variants() -> dict[str, Algorithm]:
    """Settings of learners."""
    return load_study(ROOT / "studies" / "variants.yaml").algorithms


def learned(name: str, learner: str, steps: int = STEPS) -> str:
    """What comes out of a short training: a digest of all its numbers, or a fault."""
    algorithms = (variants()[learner],) * len(SEEDS)
    training = Training(Job(task(name), algorithms, SEEDS, steps))
    for _ in training:
        pass
    result = finish(training)
    for failure in result.failures.values():
        return f"step {failure.step}: {failure.reason}"
    numbers = [np.array(values) for values in result.final.values()]
    numbers += [result.weights[key] for key in sorted(result.weights)]
    if not all(np.isfinite(each).all() for each in numbers):
        return "not finite"
    told = [(record.step, record.metrics) for record in result.records]
    content = b"".join(each.tobytes() for each in numbers) + repr(told).encode()
    return hashlib.sha256(content).hexdigest()


def examined(name: str) -> dict[str, Any]:
    """What is wrong with an environment; if nothing is, what each learner makes."""
    wrong = [message for _, message in mistakes(name, HORIZON)]
    if wrong:
        return {"wrong": wrong}
    widths = task(name).widths
    return {"widths": widths} | {each: learned(name, each) for each in LEARNERS}


def apart(name: str) -> dict[str, Any]:
    """The same from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.environments", name]
    output = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def verdict(one: str, other: str) -> str:
    """Of two trainings that ought to be the same: bytes, or what went wrong."""
    if one != other:
        return "differs"
    return "yes" if is_digest(one) else one


def is_digest(text: str) -> bool:
    """Whether a training ended well."""
    return len(text) == hashlib.sha256().digest_size * 2 and text.isalnum()


def page() -> Iterator[str]:
    """Line by line."""
    works, refused = [], []
    for name in names():
        print(name, file=sys.stderr, flush=True)
        one = apart(name)
        if "wrong" in one:
            reasons = "; ".join(said.replace("|", "\\|") for said in one["wrong"])
            refused.append(f"| `{name}` | {reasons} |")
            continue
        other = apart(name)
        observed, acted = one["widths"]
        cells = " | ".join(verdict(one[each], other[each]) for each in LEARNERS)
        works.append(f"| `{name}` | {observed} | {acted} | {cells} |")
    yield from HEAD.format(steps=STEPS, seeds=len(SEEDS)).splitlines()
    yield from works
    yield from ["", "## What is refused", "", "| environment | why |", "|---|---|"]
    yield from refused
    present = {each.metadata["Name"] for each in distributions()}
    used = [package for package in PACKAGES if package in present]
    yield f"\nMeasured on: {machine(*used)}"


HEAD: Final = """\
# Environments

`python -m benchmarks.environments` writes this page: every environment of Gymnasium in
its newest version, and some of other packages.

`check` makes each, looks at its spaces, resets and steps it. In what passes, each
learner makes {steps} steps with {seeds} seeds in two processes. *Yes*: all numbers are
finite, and the same bytes both times. Whether anything is learned is not the question.

The project's own worlds, with walls and targets, are in [worlds.md](worlds.md).

## What works

| environment | observed numbers | actions | DDPG | SAC | SQL | REINFORCE |
|---|---|---|---|---|---|---|"""


def main(name: str = "") -> None:
    if name:
        print(json.dumps(examined(name)))
    else:
        lines = list(page())
        PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
