"""Bodies of MuJoCo in worlds."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.mujoco.ant_v5 import AntEnv
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.envs.mujoco.swimmer_v5 import SwimmerEnv
from gymnasium.utils.env_checker import check_env

from pipeline.core.tasks import navigation
from pipeline.core.tasks.navigation.bodies import BODIES, UNIT
from pipeline.core.tasks.navigation.world import START_BOUND
from tests.core.configs import TASKS

ROOT = Path(__file__).parents[3]
NOISE = 0.1
"""Of every joint at the start, in Gymnasium's bodies; also of those that are places."""
OWN = {
    "swimmer": lambda: SwimmerEnv(exclude_current_positions_from_observation=False),
    "half_cheetah": lambda: HalfCheetahEnv(
        exclude_current_positions_from_observation=False
    ),
    "ant": lambda: AntEnv(
        exclude_current_positions_from_observation=False,
        include_cfrc_ext_in_observation=False,
    ),
}
"""The same bodies as Gymnasium has them."""
OPEN = {"half_width": 40.0, "start": (-3.0, 0.0)}
FORWARD = {"speed": "forward", "effort": 1e-4}


def made(body, *, world=OPEN, reward=FORWARD, end="never"):
    said = {"world": world, "body": body, "reward": reward, "end": end, "horizon": 200}
    return gymnasium.make(navigation.NAME, task=TASKS["ant"] | said)


def waving(env, steps):
    """What happens when every joint is bent to and fro, from a seeded start."""
    _, info = env.reset(seed=0)
    before = info["position"]
    for step in range(steps):
        phases = np.arange(env.action_space.shape[0])
        action = np.sin(step / 5 + phases)
        _, reward, _, _, info = env.step(action)
        yield before, info["position"], reward + 1e-4 * np.square(action).sum()
        before = info["position"]


@pytest.mark.parametrize("body", OWN)
@pytest.mark.filterwarnings("ignore::UserWarning")  # unbounded observations, no render
def test_gymnasium_accepts_every_body(body):
    env = made(body)
    check_env(env.unwrapped, skip_render_check=True)
    assert env.unwrapped.dt == pytest.approx(BODIES[body].step)
    env.reset(seed=0)
    still = np.zeros(env.action_space.shape)
    assert [env.step(still)[3] for _ in range(200)] == [False] * 199 + [True]


@pytest.mark.parametrize("body", OWN)
def test_the_model_is_gymnasiums_and_only_walls_are_added(body):
    ours, theirs = made(body).unwrapped.model, OWN[body]().model
    for name in (
        *("body_mass", "body_inertia", "jnt_range", "dof_damping", "dof_armature"),
        *("actuator_gear", "actuator_ctrlrange", "actuator_trnid"),
    ):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.opt.timestep == theirs.opt.timestep
    assert ours.ngeom > theirs.ngeom


def test_no_model_is_in_our_own_tree():
    assert not [*(ROOT / "pipeline").rglob("*.xml")]


@pytest.mark.parametrize("body", OWN)
def test_what_is_observed_is_gymnasiums_but_for_the_unit_of_its_place(body):
    ours, theirs = made(body).unwrapped, OWN[body]()
    seen, _ = ours.reset(seed=0)
    theirs.reset(seed=0)
    theirs.set_state(ours.data.qpos.copy(), ours.data.qvel.copy())
    unit = np.ones(seen.shape)
    unit[: 1 if body == "half_cheetah" else 2] = UNIT
    np.testing.assert_allclose(seen * unit, theirs._get_obs())
    generator = np.random.default_rng(0)
    for _ in range(20):
        action = generator.uniform(-1, 1, ours.action_space.shape)
        seen, *_ = ours.step(action)
        known, *_ = theirs.step(action)
        np.testing.assert_allclose(seen * unit, known, atol=1e-6)


@pytest.mark.parametrize("body", OWN)
class TestItsCentreOfMass:
    def test_is_its_place(self, body):
        env = made(body).unwrapped
        for _, place, _ in waving(env, 5):
            masses = env.model.body_mass
            centre = masses @ env.data.xipos / masses.sum()
            np.testing.assert_allclose(place, centre[:2], atol=1e-9)

    def test_moves_as_far_forward_as_the_summed_reward_says(self, body):
        steps = [*waving(made(body), 100)]
        moved = steps[-1][1][0] - steps[0][0][0]
        assert abs(moved) > 0.05
        total = sum(reward for _, _, reward in steps)
        assert total * BODIES[body].step == pytest.approx(moved)

    def test_has_a_speed_that_is_paid_whatever_its_direction(self, body):
        anywhere = {"speed": "any", "effort": 1e-4}
        for before, after, reward in waving(made(body, reward=anywhere), 30):
            speed = np.linalg.norm(after - before) / BODIES[body].step
            assert reward == pytest.approx(speed)


@pytest.mark.parametrize("body", OWN)
def test_a_start_belongs_to_its_seed_and_is_where_the_world_says(body):
    first, second = made(body), made(body)
    starts = np.array([first.reset(seed=seed)[1]["position"] for seed in range(20)])
    again = np.array([second.reset(seed=seed)[1]["position"] for seed in range(20)])
    np.testing.assert_array_equal(starts, again)
    assert len(np.unique(starts[:, 0])) == 20
    away = np.abs(starts - OPEN["start"])
    assert away.max() < START_BOUND + 2 * NOISE
    assert away.mean() < NOISE + 0.05


def furthest(body, world):
    """How far along x a body gets that is thrown that way again and again."""
    env = made(body, world=world)
    env.reset(seed=0)
    generator = np.random.default_rng(0)
    places = []
    for step in range(60):
        if step % 20 == 0:
            env.unwrapped.data.qvel[0] = 10.0
        *_, info = env.step(generator.uniform(-1, 1, env.action_space.shape))
        places.append(info["position"][0])
    return max(places)


@pytest.mark.parametrize("body", ["swimmer", "ant"])
def test_a_wall_and_the_end_of_the_plane_stop_a_body(body):
    across = {"low": (-1.0, -40.0), "high": (-0.5, 40.0)}
    assert furthest(body, OPEN) > -0.5
    assert furthest(body, OPEN | {"walls": (across,)}) < -1.0
    assert furthest(body, {"half_width": 5.0, "start": (2.0, 0.0)}) < 5.0


@pytest.mark.parametrize(
    ("body", "joint", "upside_down"),
    [("ant", slice(3, 7), (0.0, 1.0, 0.0, 0.0)), ("half_cheetah", slice(2, 3), np.pi)],
)
def test_a_body_on_its_back_ends_the_episode_where_that_is_its_end(
    body, joint, upside_down
):
    for end, ends in (("flipped", True), ("never", False)):
        env = made(body, end=end)
        env.reset(seed=0)
        still = np.zeros(env.action_space.shape)
        assert not env.step(still)[2]
        position = env.unwrapped.data.qpos.copy()
        position[joint] = upside_down
        env.unwrapped.set_state(position, 0 * env.unwrapped.data.qvel)
        assert env.step(still)[2] is ends


def test_an_episode_can_end_at_a_target_and_past_the_line():
    near = OPEN | {"targets": ((-2.5, 0.0),), "finish_line": -2.0}
    for end, world, ends in (
        ("at_target", near, True),
        ("at_target", near | {"targets": ((0.0, 0.0),)}, False),
        ("past_line", near, False),
        ("past_line", near | {"finish_line": -4.0}, True),
    ):
        env = made("swimmer", world=world, end=end)
        env.reset(seed=0)
        assert env.step(np.zeros(2))[2] is ends
