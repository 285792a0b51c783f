"""What is sound in a file with mistakes, so that those between parts show too."""

from collections.abc import Collection
from typing import Any, Final

from pipeline.study.params.yaml_lines import Place

_ENDLESS: Final = 2**62
_TRAINING: Final = {"steps": _ENDLESS, "runs": {}}

_SKELETON: Final[dict[str, Any]] = {
    "study": {"name": "study", "seeds": [2**32 - 1]},
    "execution": {
        "device": "cpu",
        "precision": "float32",
        "compile": "never",
        "threads": 1,
        "members_per_process": 1,
    },
    "tasks": {},
    "algorithms": {},
    "sweep": {"seed": 0, "seeds": [2**32 - 2], "budgets": {}, "runs": {}},
    "explore": _TRAINING,
    "pretrain": _TRAINING,
    "finetune": _TRAINING,
    "scratch": _TRAINING,
    "theorems": {
        "discount": 0.5,
        "slip": 0.0,
        "step_cost": 1.0,
        "goal_reward": 1.0,
        "temperatures": [1.0, 1.0],
        "sweeps": 1,
        "gamble": {"probability": 0.5, "safe": 0.0, "win": 0.0, "lose": 0.0},
    },
    "exact": {"spacing": 1.0, "oracles": {}},
    "score": {
        "draws": 1,
        "cells": 1,
        "robustness": {"episodes": 1, "tries": 1, "perturbations": {}},
    },
    "compose": {"runs": {}},
    "compare": {"seed": 0, "resamples": 1, "confidence": 0.5},
}
"""A study that nothing is wrong with and that contradicts nothing.

What is empty here has entries that can be wrong one by one.
"""


def sound_part(data: Any, broken: Collection[Place]) -> dict[str, Any]:
    """The data without broken entries, and with stand-ins for other broken values."""
    return _sound(
        data, _SKELETON, (), {part for place in broken for part in _up(place)}
    )


def _up(place: Place) -> list[Place]:
    """A place and everything that it lies in."""
    return [place[:length] for length in range(1, len(place) + 1)]


def _sound(
    data: Any, skeleton: dict[str, Any], place: Place, broken: Collection[Place]
) -> dict[str, Any]:
    given = data if isinstance(data, dict) else {}
    if not skeleton:
        return {
            key: value for key, value in given.items() if (*place, key) not in broken
        }
    part = {}
    for key, stand_in in skeleton.items():
        here = (*place, key)
        if isinstance(stand_in, dict):
            part[key] = _sound(given.get(key), stand_in, here, broken)
        elif key not in given or here in broken:
            part[key] = stand_in
        else:
            part[key] = given[key]
    return part
