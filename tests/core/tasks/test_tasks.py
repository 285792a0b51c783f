import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.tasks.episodes import Episodes, member_seeds
from pipeline.core.tasks.multigoal.arena import FOUR_GOALS
from tests.core.configs import TASKS, task

LINEAR = task("linear_quadratic").system


@pytest.mark.parametrize(
    ("name", "limit", "options"),
    [
        ("maxent/MultiGoal-v0", 30, {}),
        ("maxent/LinearQuadratic-v0", 30, {"system": LINEAR}),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # unbounded observations, no render
def test_gymnasium_accepts_our_environments(name, limit, options):
    env = gymnasium.make(name, **options)
    check_env(env.unwrapped, skip_render_check=True)
    assert env.spec.max_episode_steps == limit


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("maxent/MultiGoal-v0", {}),
        ("maxent/LinearQuadratic-v0", {"system": LINEAR}),
    ],
)
def test_the_vectorised_form_is_the_single_one_many_times(name, options):
    mode = "vector_entry_point"
    many = gymnasium.make_vec(name, num_envs=3, vectorization_mode=mode, **options)
    singles = [gymnasium.make(name, **options) for _ in range(3)]
    observation, _ = many.reset(seed=5)
    ours = [env.reset(seed=5 + i)[0] for i, env in enumerate(singles)]
    np.testing.assert_allclose(observation, ours)
    generator = np.random.default_rng(0)
    for _ in range(5):
        action = generator.uniform(-1.5, 1.5, size=(3, 2))  # is cut to the box
        observation, reward, ended, _, _ = many.step(action)
        for i, env in enumerate(singles):
            theirs = env.step(action[i].clip(-1, 1))
            np.testing.assert_allclose(observation[i], theirs[0])
            assert reward[i] == pytest.approx(theirs[1])
            assert ended[i] == theirs[2]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_knows_its_widths_before_it_is_made(name):
    made = Episodes(task(name), 1, member_seeds((0,), "environment"))
    assert task(name).widths == (made.states, made.actions)


class TestMultiGoal:
    @given(st.floats(-7, 7), st.floats(-7, 7), st.floats(-3, 3), st.floats(-3, 3))
    def test_four_goals_are_equally_good(self, x, y, a, b):
        _, reward, reached = FOUR_GOALS.advance(np.array([x, y]), np.array([a, b]))
        for turn in ([[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[1, 0], [0, -1]]):
            _, turned, also = FOUR_GOALS.advance(
                np.array(turn) @ [x, y], np.array(turn) @ [a, b]
            )
            assert turned == pytest.approx(reward)
            assert also == reached


@pytest.mark.parametrize("name", TASKS)
class TestEpisodes:
    def make(self, name, seeds=(0, 1, 2)):
        episodes = Episodes(task(name), len(seeds), member_seeds(seeds, "environment"))
        episodes.reset()
        return episodes

    def play(self, episodes, steps, *, seed):
        generator = torch.Generator().manual_seed(seed)
        seen = []
        for _ in range(steps):
            action = 2 * torch.rand(3, episodes.actions, generator=generator) - 1
            step = episodes.step(action)
            seen.append((step.observation_next.clone(), step.reward, step.truncated))
            episodes.next(step.terminated | step.truncated)
        return seen

    def test_the_time_limit_is_a_cut_and_not_an_end(self, name):
        episodes, horizon = self.make(name), task(name).horizon
        for step in range(horizon):
            made = episodes.step(torch.zeros(3, episodes.actions))
            assert not made.terminated.any()
            assert made.truncated.all() == (step == horizon - 1)

    def test_a_cut_episode_shows_its_own_last_observation(self, name):
        episodes, horizon = self.make(name), task(name).horizon
        for _ in range(horizon):
            made = episodes.step(torch.ones(3, episodes.actions))
        last = made.observation_next.clone()
        episodes.next(made.truncated)
        assert torch.equal(made.observation_next, last)
        assert not torch.equal(episodes.observation, last)
        assert episodes.starting.all()

    def test_it_continues_in_the_middle_of_episodes_of_different_lengths(self, name):
        first, second = self.make(name), self.make(name)
        first.next(np.array([False, True, False]))
        self.play(first, 7, seed=0)
        first.next(np.array([True, False, False]))
        self.play(first, 3, seed=1)
        second.load_state({k: v.clone() for k, v in first.state().items()})
        assert torch.equal(first.observation, second.observation)
        for ours, theirs in zip(
            self.play(first, 30, seed=2), self.play(second, 30, seed=2), strict=True
        ):
            assert torch.equal(ours[0], theirs[0])
            assert (ours[1] == theirs[1]).all()
            assert (ours[2] == theirs[2]).all()

    def test_starts_belong_to_the_member(self, name):
        together, alone = self.make(name), self.make(name, (1, 0, 2))
        assert torch.equal(together.observation[1], alone.observation[0])
        assert not torch.equal(together.observation[0], together.observation[1])


def test_any_gymnasium_task_has_the_time_limit_it_was_registered_with():
    pendulum = task("pendulum").model_copy(update={"horizon": None})
    assert pendulum.time_limit == 200


def test_the_limit_is_found_where_a_module_registers_the_environment(
    tmp_path, monkeypatch
):
    (tmp_path / "my_limits.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('tests/Limited-v0', lambda: None, max_episode_steps=17)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = {"id": "my_limits:tests/Limited-v0", "horizon": None}
    assert task("pendulum").model_copy(update=own).time_limit == 17


def test_actions_are_scaled_to_the_environments_box():
    # Pendulum's reward at rest costs 0.001 u² for the torque u in [-2, 2].
    env = task("pendulum").environments(1)
    observation, _ = env.reset(seed=[0], options={"reset_mask": np.ones(1, dtype=bool)})
    angle = np.arctan2(observation[0, 1], observation[0, 0])
    expected = -(angle**2 + 0.1 * observation[0, 2] ** 2 + 0.001 * 2.0**2)
    _, reward, *_ = env.step(np.array([[1.0]], dtype=np.float32))
    assert reward[0] == pytest.approx(expected, rel=1e-5)


class Impatient(gymnasium.Env):
    """Cuts its own episodes after three steps, whatever Gymnasium's time limit is."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.np_random.uniform(-1, 1, 1).astype(np.float32), {"position": "x"}

    def step(self, action):
        self.steps += 1
        seen = np.array([self.steps / 10], dtype=np.float32)
        return seen, 1.0, False, self.steps == 3, {"position": "x"}


def test_an_environment_may_cut_its_own_episodes():
    gymnasium.register("tests/Impatient-v0", Impatient, max_episode_steps=100)
    config = task("pendulum").model_copy(
        update={"id": "tests/Impatient-v0", "horizon": None}
    )
    first, second = (
        Episodes(config, 2, member_seeds((0, 1), "environment")) for _ in range(2)
    )
    first.reset()
    cuts = []
    for _ in range(8):
        made = first.step(torch.zeros(2, 1))
        cuts.append(bool(made.truncated.all()))
        first.next(made.terminated | made.truncated)
    assert cuts == [False, False, True, False, False, True, False, False]
    second.load_state({k: v.clone() for k, v in first.state().items()})
    assert torch.equal(first.observation, second.observation)
    assert first.positions is None  # its own word is not a place in the plane


def test_multigoal_lasts_as_long_as_the_task_says():
    config = task("multigoal").model_copy(update={"horizon": 45})
    episodes = Episodes(config, 1, member_seeds((0,), "environment"))
    episodes.reset()
    cuts = [bool(episodes.step(torch.zeros(1, 2)).truncated[0]) for _ in range(45)]
    assert cuts == [False] * 44 + [True]
