"""MuJoCo bodies rewarded for the motion of their centre of mass.

The body, its observation and its control cost are those of Gymnasium (v5). Only the
first part of the reward differs:

- `speed`: ‖v‖ of the centre of mass in the plane, whatever the direction (the
  pretraining task of Haarnoja et al. 2017, section 5.3, there with a quadruped);
- `forward`: v_x of the centre of mass.
"""

from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.envs.mujoco.swimmer_v5 import SwimmerEnv
from jaxtyping import Float
from numpy import ndarray

CONTROL_COST = 1e-4


class SwimmerCentreOfMassEnv(gymnasium.Wrapper):
    """The swimmer of three links; velocities in metres per second."""

    def __init__(self, reward: str, render_mode: str | None = None) -> None:
        if reward not in ("speed", "forward"):
            raise ValueError(f"reward must be 'speed' or 'forward', not {reward!r}")
        self._body = SwimmerEnv(render_mode=render_mode)
        super().__init__(self._body)
        self._reward = reward
        self._position = np.zeros(2)

    def _centre_of_mass(self) -> Float[ndarray, " 2"]:
        """In the plane, in metres; MuJoCo's own lags the joints by a physics step."""
        mujoco.mj_kinematics(self._body.model, self._body.data)
        mujoco.mj_comPos(self._body.model, self._body.data)
        return np.array(self._body.data.subtree_com[0, :2])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        observation, _ = self._body.reset(seed=seed, options=options)
        self._position = self._centre_of_mass()
        return observation, {"position": self._position}

    def step(
        self, action: ndarray
    ) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        observation, _, terminated, truncated, _ = self._body.step(action)  # type: ignore[no-untyped-call]
        position = self._centre_of_mass()
        velocity = (position - self._position) / self._body.dt
        self._position = position
        gain = np.linalg.norm(velocity) if self._reward == "speed" else velocity[0]
        reward = float(gain - CONTROL_COST * np.square(action).sum())
        info = {"position": position}
        return observation, reward, terminated, truncated, info
