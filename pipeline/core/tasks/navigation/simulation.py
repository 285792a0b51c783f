"""Bodies of MuJoCo in a world: Gymnasium's own models, with walls added to them."""

import math
import warnings
from typing import Any, Final

import mujoco
import numpy as np
from gymnasium.envs.mujoco import MujocoEnv
from gymnasium.envs.mujoco.ant_v5 import AntEnv
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.envs.mujoco.swimmer_v5 import SwimmerEnv
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.tasks.geometry import Box
from pipeline.core.tasks.navigation.bodies import UNIT, BodyName
from pipeline.core.tasks.navigation.scene import Scene
from pipeline.core.tasks.navigation.world import TARGET_RADIUS, World

TORSO: Final = "torso"
CAMERA: Final = "from_above"
FLOOR_COLOURS: Final = (0.55, 0.56, 0.55), (0.47, 0.48, 0.47)
WALL_HEIGHT: Final = 1.0
"""Of what is seen of a wall, in metres: more than a body stands high."""
STOPPING_HEIGHT: Final = 10.0
"""Of what stops a body: an ant at 6 m/s tumbles over a wall of 1 m."""
INVISIBLE: Final = (0.0, 0.0, 0.0, 0.0)
WALL_COLOUR: Final = (0.45, 0.45, 0.5, 1.0)
BLOCKED_COLOUR: Final = (0.8, 0.5, 0.4, 1.0)
TARGET_COLOUR: Final = (0.2, 0.65, 0.3, 0.5)
LINE_COLOUR: Final = (0.2, 0.4, 0.8, 0.7)


class _InWorld(MujocoEnv):
    """What is put before a class of Gymnasium's: its body, in a scene of ours."""

    def __init__(self, scene: Scene, **options: Any) -> None:
        self._scene = scene
        self._place = np.zeros(2)
        options["exclude_current_positions_from_observation"] = False
        super().__init__(**options)

    def _initialize_simulation(self) -> tuple[mujoco.MjModel, mujoco.MjData]:
        spec = mujoco.MjSpec.from_file(self.fullpath)
        for geom in spec.geoms:
            if geom.parent.name != "world":
                geom.contype = 1  # the swimmer's touch nothing in Gymnasium's model
        _furnish(spec, self._scene.world)
        _watch(spec, on_a_line=self._scene.body.on_a_line)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "compiler attribute 'settotalmass'")
            model = spec.compile()
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, self.width)
        model.vis.global_.offheight = max(model.vis.global_.offheight, self.height)
        self._torso = model.body(TORSO).id
        self._axes = 1 if self._scene.body.on_a_line else 2
        return model, mujoco.MjData(model)

    def reset_model(self) -> Float[ndarray, " state"]:
        """A start as the world has it, and joints as Gymnasium has them."""
        start = self._scene.world.start_of(self.np_random)
        self.init_qpos[: self._axes] = start[: self._axes]
        observation: ndarray = super().reset_model()
        self._place = self._centre_of_mass()
        return observation

    def step(
        self, action: Float[ndarray, " action"]
    ) -> tuple[ndarray, Any, bool, bool, dict[str, Any]]:
        action = np.clip(action, -1.0, 1.0)
        self.do_simulation(action, self.frame_skip)
        before, self._place = self._place, self._centre_of_mass()
        worth = self._scene.worth(before, self._place)
        reward = float(worth - self._scene.effort * np.square(action).sum())
        info = self._get_reset_info()
        return self._get_obs(), reward, self._has_ended(), False, info

    def _has_ended(self) -> bool:
        if self._scene.end == "flipped":
            upright = self.data.xmat[self._torso][8]
            return bool(upright < 0)
        return bool(self._scene.ended(self._place))

    def _get_obs(self) -> Float[ndarray, " state"]:
        observation: ndarray = super()._get_obs()  # type: ignore[misc]
        observation[: self._axes] /= UNIT
        return observation

    def _get_reset_info(self) -> dict[str, Any]:
        return {"position": self._place}

    def _centre_of_mass(self) -> Float[ndarray, " 2"]:
        """In the plane; MuJoCo's own lags the joints by a physics step."""
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        x, y = self.data.subtree_com[self._torso, :2]
        return np.array([x, 0.0 if self._scene.body.on_a_line else y])


class _Swimmer(_InWorld, SwimmerEnv):
    """Three links in a fluid."""


class _HalfCheetah(_InWorld, HalfCheetahEnv):
    """A runner in a vertical plane."""


class _Ant(_InWorld, AntEnv):
    """A quadruped, without Gymnasium's contact forces in what it observes."""

    def __init__(self, scene: Scene, **options: Any) -> None:
        super().__init__(scene, include_cfrc_ext_in_observation=False, **options)


_CLASSES: Final[dict[BodyName, type[_InWorld]]] = {
    "swimmer": _Swimmer,
    "half_cheetah": _HalfCheetah,
    "ant": _Ant,
}


def simulated(body: BodyName, scene: Scene, **options: Any) -> MujocoEnv:
    """An environment with one body of MuJoCo; `options` are those of Gymnasium's."""
    return _CLASSES[body](scene, **options)


def _furnish(spec: mujoco.MjSpec, world: World) -> None:
    """Put walls and the ends of the plane into a model, and show targets and lines."""
    for box in world.walls:
        _add_wall(spec, box, WALL_COLOUR)
    for box in world.passages.blocked if world.passages else ():
        _add_wall(spec, box, BLOCKED_COLOUR)
    for box in world.ends:
        _add_wall(spec, box, WALL_COLOUR)
    for x, y in world.targets:
        spec.worldbody.add_site(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            pos=[x, y, 0.0],
            size=[TARGET_RADIUS, 0.02, 0.0],
            rgba=TARGET_COLOUR,
        )
    if world.finish_line is not None:
        spec.worldbody.add_site(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=[world.finish_line, 0.0, 0.0],
            size=[0.05, world.half_width, 0.02],
            rgba=LINE_COLOUR,
        )


def _watch(spec: mujoco.MjSpec, *, on_a_line: bool) -> None:
    """Let a camera follow the body: from the side on a line, from above in a plane."""
    distance, elevation = (5.0, 15.0) if on_a_line else (10.0, 60.0)
    behind = distance * math.cos(math.radians(elevation))
    above = distance * math.sin(math.radians(elevation))
    tilt = math.radians(90.0 - elevation) / 2
    spec.body(TORSO).add_camera(
        name=CAMERA,
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
        pos=[0.0, -behind, above],
        quat=[math.cos(tilt), math.sin(tilt), 0.0, 0.0],
    )
    for texture in spec.textures:
        if texture.builtin == mujoco.mjtBuiltin.mjBUILTIN_CHECKER:
            texture.rgb1, texture.rgb2 = FLOOR_COLOURS
    for material in spec.materials:
        material.reflectance = 0.0
    for light in spec.lights:
        light.castshadow = not on_a_line  # from a low place those of walls flicker


def _add_wall(spec: mujoco.MjSpec, box: Box, colour: tuple[float, ...]) -> None:
    low, high = np.array(box.low), np.array(box.high)
    for height, touches, rgba in (
        (WALL_HEIGHT, 0, colour),
        (STOPPING_HEIGHT, 1, INVISIBLE),
    ):
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=[*(low + high) / 2, 0.0],
            size=[*(high - low) / 2, height],
            contype=0,
            conaffinity=touches,
            rgba=rgba,
            material="",
        )
