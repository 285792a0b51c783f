"""Try an environment: make it, look at its spaces, reset and step it.

    python -m pipeline.core.tasks.gymnasium.probe ID

prints what was found, as JSON, and all that the environment itself prints. With a file
for a second argument, the file gets that, after a word for each thing that was tried:
whatever ends the process, the last word says where.
"""

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Space, Tuple, flatdim

from pipeline.core.tasks.gymnasium.behaviour import FaultError, behave
from pipeline.core.tasks.gymnasium.environments import registered

OURS: Final = Path(__file__).parents[3]
"""The folder of this code."""


@dataclass(frozen=True)
class Found:
    """What has to be known of an environment before anything is trained in it."""

    mistakes: tuple[str, ...] = ()
    """What keeps it from being a task."""
    doubts: tuple[str, ...] = ()
    """What is odd and does no harm."""
    widths: tuple[int, int] | None = None
    """Of observations and actions as vectors, where it has them."""
    horizon: int | None = None
    """Environment steps, if it was registered with a limit."""
    files: tuple[str, ...] = ()
    """Of the code that it is made of, those below the current folder."""


def probe(name: str, doing: Callable[[str], None] = lambda _: None) -> Found:
    """Try an environment, by its id; `doing` is told what is done to it next."""
    loaded = set(sys.modules)
    module, _, registered_name = name.rpartition(":")
    try:
        doing("imported")
        if module:
            import_module(module)
        if registered_name not in gymnasium.registry:
            return Found((_unknown(name, module, registered_name),))
        doing("made")
        copies = [registered(name) for _ in range(3)]
        observations, actions = copies[0].observation_space, copies[0].action_space
    except Exception as error:  # whatever the environment's own code may raise
        return Found((f"'{name}' cannot be made here: {_said(error)}",))
    if mistakes := tuple(_unusable(name, observations, actions)):
        return Found(mistakes)
    doubts: tuple[str, ...] = ()
    try:
        doubts = tuple(f"{name} {odd}" for odd in behave(copies, doing))
    except FaultError as fault:
        mistakes = (f"{name} {fault}",)
    except Exception as error:
        mistakes = (f"{name} raises {_said(error)}",)
    return Found(
        mistakes,
        doubts,
        (flatdim(observations), flatdim(actions)),
        gymnasium.spec(registered_name).max_episode_steps,
        tuple(sorted({*_own_files(set(sys.modules) - loaded)})),
    )


def _unknown(name: str, module: str, registered_name: str) -> str:
    names = sorted(gymnasium.registry)
    prefix = f"{module}:" if module else ""
    similar = get_close_matches(registered_name, names, n=1)
    hint = (
        f"did you mean '{prefix}{similar[0]}'?"
        if similar
        else f"there are: {', '.join(names)}"
    )
    own = "" if module else f"; one of your own is written MODULE:{name}"
    return f"there is no environment '{name}'; {hint}{own}"


def _unusable(
    name: str, observations: Space[Any], actions: Space[Any]
) -> Iterator[str]:
    """Why learners cannot observe or act."""
    shown, acted = (" ".join(str(each).split()) for each in (observations, actions))
    if not _is_boxes(observations):
        yield f"{name} observes {shown}; only boxes can be observed"
    elif flatdim(observations) == 0:
        yield f"{name} observes {shown}, which is nothing"
    if not isinstance(actions, Box) or not np.issubdtype(actions.dtype, np.floating):
        yield f"{name} acts by {acted}; only a Box of real numbers can act"
    elif flatdim(actions) == 0:
        yield f"{name} acts by {acted}, which is nothing"
    elif not np.isfinite([actions.low, actions.high]).all():
        yield f"{name} acts by {acted}; every action needs two bounds"


def _is_boxes(space: object) -> bool:
    match space:
        case Dict():
            return all(map(_is_boxes, space.values()))
        case Tuple():
            return all(map(_is_boxes, space))
        case _:
            return isinstance(space, Box)


def _said(error: Exception) -> str:
    """What an exception says, and where: in the user's own code, if it was there."""
    lines = str(error).splitlines() or ["no reason given"]
    text = f"{type(error).__name__}: {lines[0]}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name.endswith(".py"):
            return f"{text}; a module is written without .py"
        file = f"{error.name.partition('.')[0]}.py"
        return f"{text}; install it, or put {file} beside params.yaml and git add it"
    if isinstance(error, SyntaxError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if (path := _own(frame.filename)) and not path.is_relative_to(OURS):
            return f"{text} ({path.relative_to(Path.cwd())}:{frame.lineno})"
    _, _, file = frames[-1].filename.rpartition("site-packages/")
    return f"{text} ({file}:{frames[-1].lineno})"


def _own(file: str) -> Path | None:
    """The path of a file below the current folder that was not installed there."""
    path = Path(file)
    here = path.is_relative_to(Path.cwd()) and not path.is_relative_to(sys.prefix)
    return path if here and "site-packages" not in path.parts else None


def _own_files(modules: set[str]) -> Iterator[str]:
    """The user's files of modules; of a package all that lies in its folder."""
    for name in modules:
        module = sys.modules[name]
        path = _own(getattr(module, "__file__", None) or "")
        if path is None:
            continue
        paths = path.parent.rglob("*") if hasattr(module, "__path__") else [path]
        for each in paths:
            if each.is_file() and "__pycache__" not in each.parts:
                yield each.relative_to(Path.cwd()).as_posix()


def main() -> None:
    """Try the environment that the command line names."""
    name, *file = sys.argv[1:]
    if not file:
        print(json.dumps(asdict(probe(name)), indent=1))
        return
    warnings.simplefilter("ignore")
    with Path(file[0]).open("w", buffering=1) as told:
        found = probe(name, lambda word: print(word, file=told))
        print(json.dumps(asdict(found)), file=told)
    os._exit(0)  # and waits for nothing that the environment has started


if __name__ == "__main__":
    main()
