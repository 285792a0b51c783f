"""The same learner by stable-baselines3, or by SBX, its edition in JAX."""

from importlib import import_module
from typing import Any, Literal, TypeAlias

import gymnasium
import numpy as np

INSTALL = "pip install -c requirements.lock sbx-rl==0.28.0 jax==0.10.2"
"""Adds SBX and what it needs, and changes nothing that is installed."""
SIGMA = 0.1
"""Standard deviation of the noise by which DDPG explores."""
Library: TypeAlias = Literal["stable_baselines3", "sbx"]


def peer_learner(
    library: Library,
    kind: str,
    environment: str,
    *,
    width: int,
    learning_rate: float,
    **settings: Any,
) -> Any:
    """SAC with an automatic temperature, or DDPG, with an update after every step.

    Args:
        library: Whose.
        kind: `sac` or `ddpg`.
        environment: Its id.
        width: Of both hidden layers.
        learning_rate: Of all networks, and of the temperature.
        **settings: What else the library is told, in its words.
    """
    env = gymnasium.make(environment)
    settings |= {
        "policy_kwargs": {"net_arch": [width] * 2},
        "learning_rate": learning_rate,
        "train_freq": 1,
        "gradient_steps": 1,
        "device": "cpu",
    }
    if library == "sbx":
        settings["qf_learning_rate"] = learning_rate  # DDPG has another by default
    if kind == "ddpg":
        noise = import_module("stable_baselines3.common.noise").NormalActionNoise
        zeros = np.zeros(env.action_space.shape or ())
        settings["action_noise"] = noise(zeros, zeros + SIGMA)
    return getattr(import_module(library), kind.upper())("MlpPolicy", env, **settings)
