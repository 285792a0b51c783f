"""The theorems as numbers: one file of arrays for each demonstration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from pipeline.core.config.values import parsed
from pipeline.core.exact import demonstrations, gradient_identity
from pipeline.core.exact.gridworld import TWO_WAYS, GridWorld
from pipeline.core.exact.mdp import Mdp
from pipeline.core.population.randomness import stream
from pipeline.study.params.exact import Theorems
from pipeline.study.store.files import write_arrays, write_json
from pipeline.study.store.layout import DESCRIBED, SUMMARY

LONGEST = 6
"""Steps of the longest episodes of which every one is counted."""
IMPROVEMENTS = 8
"""Policies of soft policy iteration that are kept; it settles after about five."""


DISCOUNT = 0.95
"""Of two processes that show the same with any settings; the fit diverges above 5/6."""


def demonstrate(settings: Theorems) -> dict[str, dict[str, ndarray]]:
    """Every demonstration: name to named arrays."""
    world = GridWorld.of(TWO_WAYS)
    mdp = world.mdp(
        discount=settings.discount,
        slip=settings.slip,
        step_cost=settings.step_cost,
        goal_reward=settings.goal_reward,
    )
    states, actions = mdp.reward.shape
    uniform = np.full((states, actions), 1 / actions)
    temperatures = settings.temperatures
    return {
        "contraction": demonstrations.contraction(
            mdp, temperatures, sweeps=settings.sweeps
        ),
        "fitted": demonstrations.fitted(
            mdp, temperatures, sweeps=settings.sweeps, discount=DISCOUNT
        ),
        "hard_limit": demonstrations.hard_limit(mdp, temperatures),
        "grid_policies": demonstrations.grid_policies(world, mdp, temperatures),
        "improvement": demonstrations.monotone_improvement(
            mdp, uniform, temperature=temperatures[0], count=IMPROVEMENTS
        ),
        "gamble": demonstrations.risky_choice(
            temperatures, **settings.gamble.model_dump()
        ),
        "identity_table": gradient_identity.on_a_table(
            stream(0, "identity on a table"), states=4, actions=3, temperature=1.0
        ),
        "identity_network": gradient_identity.on_a_network(
            stream(0, "identity on a network"),
            states=16,
            actions=3,
            hidden=(8,),
            temperature=1.0,
        ),
        "variance": gradient_identity.variance_by_horizon(
            _coin(),
            np.array([1.0, 0.0]),
            temperature=1.0,
            horizons=range(1, LONGEST + 1),
            generator=stream(0, "variance by horizon"),
        ),
    }


def _coin() -> Mdp:
    """Two states, two actions: stay and be paid in one of them, or change the state."""
    stay, change = np.eye(2), np.eye(2)[::-1]
    return Mdp(
        transition=np.stack([stay, change], axis=1),
        reward=np.array([[0.0, 0.0], [1.0, 0.0]]),
        discount=DISCOUNT,
        terminal=np.zeros(2, dtype=bool),
    )


def numbers(shown: Mapping[str, Mapping[str, ndarray]]) -> dict[str, float]:
    """What each theorem promises, as one number that shows whether it is kept."""
    contraction, limit = shown["contraction"], shown["hard_limit"]
    linear, tabular = (shown["fitted"][name] for name in ("linear", "tabular"))
    identities = [shown["identity_table"], shown["identity_network"]]
    resolved = contraction["distance"] > demonstrations.RESOLUTION
    ratio = contraction["distance"] / contraction["bound"]
    return {
        "contraction/largest_share_of_bound": float(ratio[resolved].max()),
        "fitted/largest_difference": float(shown["fitted"]["difference"].max()),
        "fitted/growth": float(linear[-1] / linear[-2]),
        "fitted/growth_on_a_table": float(tabular[-1] / tabular[-2]),
        "hard_limit/largest_share_of_bound": float(
            (limit["gap"] / limit["bound"]).max()
        ),
        "hard_limit/least_gap": float(limit["least_gap"].min()),
        "improvement/least_rise": float(shown["improvement"]["least_rise"].min()),
        "improvement/last_distance": float(shown["improvement"]["distance"][-1]),
        "identity/largest_difference": float(
            max(np.abs(each["soft_q"] - each["both"]).max() for each in identities)
        ),
        "gamble/least_evidence_gap": float(
            (shown["gamble"]["log_evidence"] - shown["gamble"]["evidence_bound"]).min()
        ),
    }


def write_theorems(said: Mapping[str, Any], folder: Path) -> None:
    """Write `NAME.safetensors` of each demonstration, and `summary.json`.

    Args:
        said: The description; without settings nothing is demonstrated.
        folder: Where to.
    """
    write_json(folder / DESCRIBED, said)
    if said["settings"] is None:
        return
    shown = demonstrate(parsed(Theorems, said["settings"]))
    for name, arrays in shown.items():
        write_arrays(folder / f"{name}.safetensors", arrays)
    write_json(folder / SUMMARY, numbers(shown))
