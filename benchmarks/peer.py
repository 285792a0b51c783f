"""The same learner by stable-baselines3: `pip install --group benchmark`."""

from typing import Any

import gymnasium
import numpy as np

SIGMA = 0.1
"""Standard deviation of the noise by which DDPG explores."""


def sb3_learner(kind: str, environment: str, *, width: int, **settings: Any) -> Any:
    """SAC with an automatic temperature, or DDPG, with an update after every step.

    Args:
        kind: `sac` or `ddpg`.
        environment: Its id.
        width: Of both hidden layers.
        **settings: What else stable-baselines3 is told, in its words.
    """
    import stable_baselines3 as sb3
    from stable_baselines3.common.noise import NormalActionNoise

    env = gymnasium.make(environment)
    policy = {"net_arch": [width] * 2}
    settings |= {"train_freq": 1, "gradient_steps": 1, "device": "cpu"}
    if kind == "sac":
        return sb3.SAC("MlpPolicy", env, policy_kwargs=policy, **settings)
    zeros = np.zeros(env.action_space.shape or ())
    noise = NormalActionNoise(zeros, zeros + SIGMA)
    return sb3.DDPG(
        "MlpPolicy", env, action_noise=noise, policy_kwargs=policy, **settings
    )
